# Tutorial 001: the multilayer perceptron of d2l on Fashion-MNIST. Changed: the imports.
from numnet import nn, train
from numnet import optim
from numnet.data import load_data_fashion_mnist

net = nn.Sequential(nn.Flatten(),
                    nn.Linear(784, 256),
                    nn.ReLU(),
                    nn.Linear(256, 10)
                    )


def init_weights(m):
    if type(m) == nn.Linear:
        nn.init.normal_(m.weight, std=0.01)


net.apply(init_weights);

batch_size, lr, num_epochs = 256, 0.1, 10
loss = nn.CrossEntropyLoss(reduction='none')
trainer = optim.SGD(net.parameters(), lr=lr)

train_iter, test_iter = load_data_fashion_mnist(batch_size)
train.train_ch3(net, train_iter, test_iter, loss, num_epochs, trainer)
