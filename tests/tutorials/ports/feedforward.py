# Tutorial 002, section 1: two lines of NumPy, beside the layers. Changed: nothing; the class around it is ours.
import numpy as np

from numnet import nn


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Network:
    def __init__(self, sizes):
        rng = np.random.default_rng(0)
        self.biases = [rng.standard_normal((n, 1)) for n in sizes[1:]]
        self.weights = [rng.standard_normal((n, m)) for m, n in zip(sizes, sizes[1:])]

    def feedforward(self, a):
        # a:input
        for b, w in zip(self.biases, self.weights):
            a = sigmoid(np.dot(w, a) + b)
        return a


network = Network([784, 30, 10])
a = np.random.default_rng(1).random((784, 1))
layers = []
for b, w in zip(network.biases, network.weights):
    linear = nn.Linear(w.shape[1], w.shape[0]).double()
    linear.weight.data[...] = w
    linear.bias.data[...] = b[:, 0]
    layers += [linear, nn.Sigmoid()]
net = nn.Sequential(*layers)
print(np.abs(network.feedforward(a) - net(a.T).T).max() < 1e-14)
