"""PyTorch as a side: `python pytorch.py <threads>` answers the requests of side.js."""

import json
import math
import sys
import time


# ---- data, as data.js describes it


def materialise(described):
    if isinstance(described, list):
        return [materialise(inner) for inner in described]
    if "seed" in described:
        return draw(**described)
    return {name: materialise(inner) for name, inner in described.items()}


def draw(seed, shape, low, high, whole=False):
    """mulberry32, all elements at once."""
    n = math.prod(shape)
    state = np.uint32(seed) + np.uint32(0x6D2B79F5) * np.arange(1, n + 1, dtype=np.uint32)
    bits = (state ^ (state >> 15)) * (state | 1)
    bits ^= bits + (bits ^ (bits >> 7)) * (bits | 61)
    values = low + (high - low) * ((bits ^ (bits >> 14)) / 2**32)
    return torch.from_numpy(values.astype(np.int64 if whole else np.float32).reshape(shape))


def sample(tensor, most=256):
    elements = tensor.detach().reshape(-1)
    stride = max(1, elements.numel() // most)
    return elements[: stride * most : stride].tolist()


# ---- kinds of workloads: each makes a step(i), which returns the tensors it computed


def product(workload, data):
    a = data["a"].T if workload["transpose"] == "a" else data["a"]
    b = data["b"].T if workload["transpose"] == "b" else data["b"]
    return lambda i: [a @ b]


def convolution(_, data):
    def step(i):
        with torch.no_grad():
            return [F.conv2d(data["x"], data["w"], padding=1)]

    return step


def value_and_gradients(function, inputs, dy=None):
    for x in inputs:
        x.requires_grad_()

    def step(i):
        y = function(*inputs)
        return [y, *torch.autograd.grad(y, inputs, dy)]

    return step


def convolution_gradients(_, data):
    return value_and_gradients(lambda x, w: F.conv2d(x, w, padding=1), [data["x"], data["w"]], data["dy"])


def cross_entropy(_, data):
    return value_and_gradients(lambda logits: F.cross_entropy(logits, data["y"]), [data["logits"]])


def elementwise(workload, data):
    functions = {"gelu": lambda x: F.gelu(x, approximate="tanh"), "relu": F.relu}
    function = functions.get(workload["fn"]) or getattr(torch, workload["fn"])
    return value_and_gradients(function, [data["x"]], data["dy"])


def fill(model, parameters):
    with torch.no_grad():
        for parameter, values in zip(model.parameters(), parameters, strict=True):
            parameter.copy_(values)
    return model


def mlp_model(parameters):
    shapes = [p.shape for p in parameters if p.dim() == 2]
    layers = [layer for out, inputs in shapes for layer in (nn.Linear(inputs, out), nn.ReLU())]
    return fill(nn.Sequential(*layers[:-1]), parameters)


def cnn_model(parameters):
    first = [nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2)]
    second = [nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2)]
    return fill(nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(512, 10)), parameters)


def training(make_model):
    def make(workload, data):
        model = make_model(data["parameters"])
        optimizer = torch.optim.SGD(model.parameters(), lr=workload["lr"])
        batches = data["batches"]
        careless = workload.get("careless", False)

        def step(i):
            batch = batches[i % len(batches)]
            x, y = (batch["x"].clone(), batch["y"].clone()) if careless else (batch["x"], batch["y"])
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            if careless:
                loss.item()
            return [loss]

        return step

    return make


def inference(make_model):
    def make(_, data):
        model = make_model(data["parameters"]).eval()
        x = data["x"].numpy()

        def step(i):
            with torch.no_grad():
                return [torch.from_numpy(model(torch.from_numpy(x)).numpy())]

        return step

    return make


def transformer(w, data):
    width, heads, hidden = w["width"], w["heads"], w["hidden"]
    batch, length = w["batch"], w["length"]

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1 = nn.LayerNorm(width, w["normEps"])
            self.qkv = nn.Linear(width, 3 * width)
            self.out = nn.Linear(width, width)
            self.norm2 = nn.LayerNorm(width, w["normEps"])
            self.up = nn.Linear(width, hidden)
            self.down = nn.Linear(hidden, width)
            self.norm3 = nn.LayerNorm(width, w["normEps"])
            self.head = nn.Linear(width, w["classes"], bias=False)

        def attention(self, x):
            q, k, v = (h.view(batch, length, heads, -1).transpose(1, 2) for h in self.qkv(x).chunk(3, -1))
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.out(mixed.transpose(1, 2).reshape(batch, length, width))

        def forward(self, x):
            x = x + self.attention(self.norm1(x))
            x = x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))
            return self.head(self.norm3(x)).flatten(0, 1)

    block = fill(Block(), [p for layer in data["parameters"].values() for p in layer.values()])
    optimizer = torch.optim.Adam(block.parameters(), **w["adam"])

    def step(i):
        optimizer.zero_grad()
        loss = F.cross_entropy(block(data["x"]), data["y"])
        loss.backward()
        optimizer.step()
        return [loss]

    return step


KINDS = {
    "product": product,
    "convolution": convolution,
    "convolutionGradients": convolution_gradients,
    "crossEntropy": cross_entropy,
    "elementwise": elementwise,
    "mlp": training(mlp_model),
    "cnn": training(cnn_model),
    "mlpInference": inference(mlp_model),
    "cnnInference": inference(cnn_model),
    "transformer": transformer,
}


# ---- requests


class Job:
    """The open workload and how many calls of it are done."""

    def __init__(self, workload, warm_up):
        self.step = KINDS[workload["kind"]](workload, materialise(workload["data"]))
        self.done = 0
        started = time.perf_counter()
        for _ in range(workload["checkCalls"]):
            last = self.call()
        self.values = [sample(y) for y in last]
        seconds = warm_up - (time.perf_counter() - started)
        if seconds > 0:
            self.repeat(seconds)

    def call(self):
        self.done += 1
        return self.step(self.done - 1)

    def repeat(self, seconds, most=math.inf, after=lambda: None):
        """At least one call, until the time is over or `most` calls are done."""
        start = time.perf_counter()
        calls = 0
        while True:
            self.call()
            calls += 1
            after()
            elapsed = time.perf_counter() - start
            if elapsed >= seconds or calls >= most:
                return {"calls": calls, "seconds": elapsed}


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


job = None


def start():
    global F, nn, np, resource, torch
    import resource

    import numpy as np
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.set_num_threads(int(sys.argv[1]))
    return {"version": torch.__version__}


def open_(workload, warmUp):
    global job
    job = None
    job = Job(workload, warmUp)
    return {"values": job.values}


def memory(seconds, most):
    resident = []
    job.repeat(seconds, most, lambda: resident.append(resident_bytes()))
    return {"resident": resident}


REQUESTS = {"start": start, "open": open_, "time": lambda seconds: job.repeat(seconds), "memory": memory}

for line in sys.stdin:
    request, options = (message := json.loads(line)).pop("request"), message
    try:
        reply = REQUESTS[request](**options)
    except Exception as error:
        reply = {"error": str(error), "isMissing": isinstance(error, ModuleNotFoundError)}
    print(json.dumps(reply), flush=True)
