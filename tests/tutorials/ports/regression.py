# Tutorial 002, section 6: y = x² with a live plot. Changed: the imports. Left out: the last pause, of 317 years.
import matplotlib.pyplot as plt

import numnet as t
import numnet.nn.functional as F

x = t.unsqueeze(t.linspace(-1, 1, 100), dim=1)
y = x.pow(2) + 0.2 * t.rand(x.size())


class Net(t.nn.Module):
    def __init__(self, n_feature, n_hidden1, n_hidden2, n_output):
        super(Net, self).__init__()
        self.layer1 = t.nn.Linear(n_feature, n_hidden1)
        self.layer2 = t.nn.Linear(n_hidden1, n_hidden2)
        self.predict = t.nn.Linear(n_hidden2, n_output)

    def forward(self, x):
        x = F.relu(self.layer1(x))
        x = F.relu(self.layer2(x))
        x = self.predict(x)
        return x


net = Net(n_feature=1, n_hidden1=10, n_hidden2=10, n_output=1)
print(net)

optimizer = t.optim.SGD(net.parameters(), lr=0.2)
loss_func = t.nn.MSELoss()

plt.ion()
plt.show()
for i in range(100):
    inputs = t.autograd.Variable(x)
    target = t.autograd.Variable(y)

    output = net(inputs)

    loss = loss_func(output, target)

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

    if i % 5 == 0:
        plt.cla()
        plt.scatter(inputs.data.numpy(), target.data.numpy(), label='real')
        plt.plot(inputs.data.numpy(), output.data.numpy(), 'r-', lw=5, label='predict')
        plt.text(0.5, 0, 'Loss=%.4f' % loss.data.numpy(), fontdict={'size': 20, 'color': 'red'})
        plt.legend()
        plt.pause(0.1)

print('Loss=%.4f' % loss.data.numpy())
