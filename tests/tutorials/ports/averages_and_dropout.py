# Tutorial 004, sections 2.1, 3.1, 4.2. Changed: the imports; plt.show() → plt.close(), for want of a screen.
import matplotlib.pyplot as plt

import numnet as torch
import numnet.nn as nn

ELEMENT_NUMBER = 30


def test01():
    torch.manual_seed(0)
    temperature = torch.randn(size=[ELEMENT_NUMBER, ]) * 10
    print(temperature)
    days = torch.arange(1, ELEMENT_NUMBER + 1, 1)
    plt.plot(days, temperature, color='r')
    plt.scatter(days, temperature)
    plt.close()


def test02(beta=0.9):
    torch.manual_seed(0)
    temperature = torch.randn(size=[ELEMENT_NUMBER, ]) * 10
    print(temperature)
    exp_weight_avg = []
    for idx, temp in enumerate(temperature, 1):
        if idx == 1:
            exp_weight_avg.append(temp)
            continue
        new_temp = exp_weight_avg[idx - 2] * beta + (1 - beta) * temp
        exp_weight_avg.append(new_temp)
    days = torch.arange(1, ELEMENT_NUMBER + 1, 1)
    plt.plot(days, exp_weight_avg, color='r')
    plt.scatter(days, temperature)
    plt.close()


def test():
    dropout = nn.Dropout(p=0.8)
    inputs = torch.randint(0, 10, size=[5, 8]).float()
    print(inputs)
    print('-' * 50)
    outputs = dropout(inputs)
    print(outputs)


def caculate_gradient(x, w):
    y = x @ w
    y = y.sum()
    y.backward()
    print('Gradient:', w.grad.reshape(1, -1).squeeze().numpy())


def test03():
    w = torch.randn(15, 1, requires_grad=True)
    x = torch.randint(0, 10, size=[5, 15]).float()
    caculate_gradient(x, w)


def test04():
    w = torch.randn(15, 1, requires_grad=True)
    x = torch.randint(0, 10, size=[5, 15]).float()
    dropout = nn.Dropout(p=0.8)
    x = dropout(x)
    caculate_gradient(x, w)


if __name__ == '__main__':
    test01()
    test02(0.5)
    test02(0.9)
    test()
    torch.manual_seed(0)
    test03()
    print('-' * 70)
    test04()
    print(nn.BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True))
