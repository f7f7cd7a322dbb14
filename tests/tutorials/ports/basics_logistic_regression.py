# Tutorial 000, sections 1.1, 1.2, 2.2: tensors, Variable, logistic regression.
# Changed: the imports. Mended: Linear's sizes, super().__init__() and forward, which it leaves out; lr=le-3.
import numpy as np

import numnet as torch
from numnet import nn

a = np.array([[1.0, 2.0], [3.0, 4.0]])
print(torch.from_numpy(a).numpy() is a or np.shares_memory(torch.from_numpy(a).numpy(), a))
print(torch.FloatTensor([1, 2]).dtype, torch.DoubleTensor([1, 2]).dtype)

v = torch.autograd.Variable(torch.FloatTensor([2, 3, 4]), requires_grad=True)
y = v * v
print(y.grad_fn)
y.backward(torch.FloatTensor([1, 0.1, 0.01]))
print(v.data, v.grad)

torch.manual_seed(0)
x = torch.randn(100, 2)
y = (x[:, 0] + 2 * x[:, 1] > 0.3).float().unsqueeze(1)


class LogisticRegression(nn.Module):
    def __init__(self):
        super(LogisticRegression, self).__init__()
        self.lr = nn.Linear(2, 1)
        self.sm = nn.Sigmoid()

    def forward(self, x):
        x = self.lr(x)
        x = self.sm(x)
        return x


logistic_model = LogisticRegression()
criterion = nn.BCELoss()
optimizer = torch.optim.SGD(logistic_model.parameters(), lr=1e-3, momentum=0.9)

for epoch in range(50000):
    inputs = torch.autograd.Variable(x)
    target = torch.autograd.Variable(y)
    out = logistic_model(inputs)
    loss = criterion(out, target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

mask = (out >= 0.5).float()
correct = (mask == target).sum()
print("Acc: %.2f" % (correct.item() / x.size(0)))
