# Tutorial 003, section 5: perceptrons, and the pieces of sections 4 and 6. Changed: the imports.
import numnet as torch
from numnet import nn
import numnet.nn.functional as F


def activation(x):
    return 1 / (1 + torch.exp(-x))


torch.manual_seed(7)
features = torch.randn((1, 5))
weights = torch.randn_like(features)
bias = torch.randn((1, 1))
h = torch.sum(features.mul(weights)) + bias
y = activation(h)
print(0 < y.item() < 1)

torch.manual_seed(7)
features = torch.randn((1, 3))
n_input = features.shape[1]
n_hidden = 2
n_output = 1
W1 = torch.randn(n_input, n_hidden)
W2 = torch.randn(n_hidden, n_output)
B1 = torch.randn((1, n_hidden))
B2 = torch.randn((1, n_output))
h = activation(features.mm(W1) + B1)
y = activation(h.mm(W2) + B2)
print(y.shape)

model = nn.Linear(784, 256)
model.weight.data.normal_(std=0.01)
model.bias.data.fill_(0)
print(abs(model.weight.data.std() - 0.01) < 1e-3, model.bias.data.sum())

x = torch.randn(2, 3, requires_grad=True)
y = torch.zeros(1, requires_grad=True)
labels = torch.empty(64).random_(10)
print(x.requires_grad, y.grad, labels.min() >= 0, labels.max() <= 9)
torch.set_grad_enabled(False)
print((x * 2).requires_grad)
torch.set_grad_enabled(True)
with torch.no_grad():
    print((x * 2).requires_grad)
z = torch.randn(64, 10).requires_grad_(True)
print(torch.allclose(F.log_softmax(z, dim=1), torch.log(F.softmax(z, dim=1)), atol=1e-6))
top, index = torch.topk(z, 5)
print(top.shape, torch.mean(z, dim=0).shape, torch.sum(z, dim=1).shape)
x = torch.ones(2, 3)
x.mul_(5)
print(x)
print(torch.matmul(torch.randn(2, 1, 3, 4), torch.randn(5, 4, 6)).shape)
try:
    z / torch.ones(64)
except ValueError as error:
    print(type(error).__name__)
print((z / torch.ones(64, 1)).shape)
