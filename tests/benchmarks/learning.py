"""Train the network of `segment.regions.affinities` on the training images of BSDS500.

    python -m tests.benchmarks.learning --root BSDS500 --out segment/regions/affinities.onnx
        [--steps 5000] [--hold 5] [--seed 0] [--threads 1]

needs PyTorch and ONNX (``python -m pip install torch onnx``), and some 0.2 s of one core a step
where that computes in bfloat16, many times as long elsewhere. With ``--hold 5`` every fifth image
is kept out, and how much of the variance over these is explained is printed, of regions beside each
other and of those above each other. The root is that of `tests.benchmarks.quality`. Contacts are
judged at cuts of the hierarchy as it is now; those that the network in the repository learned from
were of one that asked no network.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import segment
from segment.regions.affinities import MULTIPLE, network_input
from tests.benchmarks.quality import load

DISTANCES = (6, 14, 30, 60)  # pixels between the two that people part or not
CUTS = (150, 60, 25, 10)  # regions of the cuts at which contacts are judged, beside the leaves
BLOCK = 4  # pixels a side of what the network says
CHANNELS = (16, 24, 40, 56)  # at a half, a quarter, an eighth and a sixteenth of the size
SIDE, BATCH = 256, 8
RATE, DECAY, DROPOUT = 3e-3, 5e-2, 0.1
AVERAGE = 0.998  # what the moving average of the weights keeps a step

Truth = tuple[NDArray[np.float32], NDArray[np.float32]]


class Step(nn.Module):
    """A 3 x 3 convolution, as a residual where nothing changes shape."""

    def __init__(self, n_in: int, n_out: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.residual = n_in == n_out and stride == 1
        self.convolve = nn.Conv2d(n_in, n_out, 3, stride, dilation, dilation, bias=False)
        self.normalise = nn.BatchNorm2d(n_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.normalise(self.convolve(x))
        return torch.relu(x + y if self.residual else y)


class Network(nn.Module):
    """Down to a sixteenth of the size, where a look reaches far, and back up to a quarter."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter, eighth, sixteenth = CHANNELS
        self.down = nn.ModuleList(
            [
                nn.Sequential(Step(3, half, 2), Step(half, half)),
                nn.Sequential(Step(half, quarter, 2), *repeated(quarter, 1, 1)),
                nn.Sequential(Step(quarter, eighth, 2), *repeated(eighth, 1, 1, 1)),
                nn.Sequential(
                    Step(eighth, sixteenth, 2),
                    *repeated(sixteenth, 1, 2, 4, 8),
                    nn.Dropout2d(DROPOUT),
                ),
            ]
        )
        self.narrow = nn.ModuleList(
            [nn.Conv2d(sixteenth, eighth, 1), nn.Conv2d(eighth, quarter, 1)]
        )
        self.up = nn.ModuleList([Step(eighth, eighth), Step(quarter, quarter)])
        self.out = nn.Conv2d(quarter, 2, 1)
        self.pairs = nn.Conv2d(quarter, 2 * len(DISTANCES), 1)  # helps to learn, then left out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = []
        for down in self.down:
            x = down(x)
            seen.append(x)
        for skipped, narrow, up in zip((seen[2], seen[1]), self.narrow, self.up, strict=True):
            x = nn.functional.interpolate(narrow(x), scale_factor=2.0, mode="bilinear")
            x = up(skipped + x)
        return torch.cat([self.out(x), self.pairs(x)], 1) if self.training else self.out(x)


def repeated(n: int, *dilations: int) -> list[Step]:
    """Return residual steps, one a dilation."""
    return [Step(n, n, dilation=dilation) for dilation in dilations]


def parted(truths: NDArray[np.int32]) -> Truth:
    """Return how many people part two pixels, and where that is known, (2 D, H / 4, W / 4) both.

    Truths (T, H, W) are 0 where unknown. The two lie on both sides of the middle of a block of 4 x
    4 pixels: planes 2 d are of pixels beside each other, 2 d + 1 of those above each other.
    """
    planes, known = [], []
    for distance in DISTANCES:
        for maps in (truths, truths.transpose(0, 2, 1)):
            rows = maps[:, 2::4]
            middles = np.arange(2, rows.shape[2] - 1, 4)
            left, right = middles - distance // 2, middles + distance // 2 - 1
            inside = (left >= 0) & (right < rows.shape[2])
            a, b = rows[:, :, left[inside]], rows[:, :, right[inside]]
            seen = (a > 0) & (b > 0)
            share, weight = np.zeros((2, rows.shape[1], len(middles)), np.float32)
            share[:, inside] = ((a != b) & seen).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
            weight[:, inside] = seen.any(axis=0)
            turned = maps is not truths
            planes.append(share.T if turned else share)
            known.append(weight.T if turned else weight)
    return np.stack(planes), np.stack(known)


class Example(NamedTuple):
    """A picture, and what people say of it and of the leaves of its hierarchy."""

    image: NDArray[np.uint8]
    truths: list[NDArray[Any]]
    leaves: NDArray[np.uint16]
    contacts: NDArray[np.float16]  # (n + 1, n + 1, 2) share that parts two leaves, and its weight


def example(image: NDArray[np.uint8], truths: list[NDArray[Any]]) -> Example:
    """Judge the contacts of leaves, at the cuts of the hierarchy in which they are still there.

    A contact of two regions is parted as far as a pixel of one and a pixel of the other are, which
    people's slips of some pixels along a border hardly touch.
    """
    tree = segment.hierarchy(image)
    leaves = tree.leaves.labels
    first = np.unique(leaves, return_index=True)[1]
    contacts = np.zeros((2, tree.n_leaves + 1, tree.n_leaves + 1), np.float32)
    for labels in (leaves, *(tree.cut(n_regions=n).labels for n in CUTS)):
        region = labels.ravel()[first] - 1
        areas = np.bincount(labels.ravel() - 1)
        together = np.zeros((len(areas), len(areas)))
        for truth in truths:
            people = int(truth.max())
            codes = (labels.ravel() - 1) * people + truth.ravel().astype(np.int64) - 1
            shares = np.bincount(codes, minlength=len(areas) * people).reshape(-1, people)
            shares = shares / areas[:, None]
            together += shares @ shares.T
        parted = 1 - together / len(truths)
        apart = region[:, None] != region[None]
        contacts[0, 1:, 1:] += np.where(apart, parted[region][:, region], 0)
        contacts[1, 1:, 1:] += apart
    contacts[0] /= np.maximum(contacts[1], 1)
    return Example(
        image, truths, leaves.astype(np.uint16), contacts.transpose(1, 2, 0).astype(np.float16)
    )


def judged(leaves: NDArray[np.uint16], contacts: NDArray[np.float16]) -> Truth:
    """Return how many people part leaves that meet in each block, and the weight of that."""
    planes, known = [], []
    for maps in (leaves, leaves.T):
        a, b = maps[:, :-1], maps[:, 1:]
        share, weight = np.moveaxis(contacts[a, b].astype(np.float32), 2, 0)
        weight = np.pad(np.where((a > 0) & (b > 0), weight, 0), ((0, 0), (0, 1)))
        share = np.pad(share, ((0, 0), (0, 1)))
        blocks = (maps.shape[0] // BLOCK, BLOCK, maps.shape[1] // BLOCK, BLOCK)
        total = weight.reshape(blocks).sum(axis=(1, 3))
        mean = (weight * share).reshape(blocks).sum(axis=(1, 3)) / np.maximum(total, 1)
        turned = maps is not leaves
        planes.append(mean.T if turned else mean)
        known.append(total.T if turned else total)
    return np.stack(planes), np.stack(known)


def repainted(rgb: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Change colours, light, grain and sharpness of a picture as cameras do."""
    if rng.random() < 0.15:
        rgb = np.repeat(rgb @ np.float32([[0.299], [0.587], [0.114]]), 3, axis=2)
    else:
        rgb = rgb @ (np.eye(3) + rng.normal(0, 0.06, (3, 3))).astype(np.float32)
    rgb = np.clip(rgb, 0, 1) ** np.exp(rng.normal(0, 0.2)) * np.exp(rng.normal(0, 0.12))
    rgb = rgb + rng.normal(0, 0.03)
    if rng.random() < 0.4:
        rgb = rgb + rng.normal(0, rng.uniform(0, 0.04), rgb.shape)
    if rng.random() < 0.15:
        rgb = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.4, 1.2))
    return np.clip(rgb, 0, 1).astype(np.float32)


def cropped(
    shown: Example, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.uint16]]:
    """Return a turned, mirrored and scaled part of a picture, of up to four truths and leaves."""
    image, truths = shown.image, shown.truths
    height, width = image.shape[:2]
    scale = np.exp(rng.uniform(np.log(0.65), np.log(1.6)))
    angle = np.deg2rad(90 * rng.integers(4) + rng.normal(0, 7))
    mirror, stretch = rng.choice([-1, 1]), np.exp(rng.normal(0, 0.08))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn[:, 0] *= mirror * stretch
    margin = SIDE / (2 * scale)
    center = [
        np.clip(rng.uniform(0, size), min(margin, size / 2), max(size - margin, size / 2))
        for size in (width, height)
    ]
    moved = np.column_stack([turn, SIDE / 2 - turn @ center])
    shape = (SIDE, SIDE)
    rgb = cv2.warpAffine(image, moved, shape, borderMode=cv2.BORDER_REFLECT_101)
    maps = [
        cv2.warpAffine(truths[i].astype(np.uint16), moved, shape, flags=cv2.INTER_NEAREST)
        for i in rng.permutation(len(truths))[:4]
    ]
    leaves = cv2.warpAffine(shown.leaves, moved, shape, flags=cv2.INTER_NEAREST)
    return rgb.astype(np.float32) / 255, np.stack(maps).astype(np.int32), leaves


def as_input(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the network looks at, (3, H, W), for colours in 0..1."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab)
    return network_input(np.ascontiguousarray(lab.transpose(2, 0, 1)))


class Crops(torch.utils.data.IterableDataset[Any]):
    """Parts of images, without end."""

    def __init__(self, examples: list[Example], seed: int) -> None:
        self.examples, self.seed = examples, seed

    def __iter__(self) -> Iterator[Any]:
        rng = np.random.default_rng(self.seed)
        while True:
            shown = self.examples[rng.integers(len(self.examples))]
            rgb, maps, leaves = cropped(shown, rng)
            seen = as_input(repainted(rgb, rng))
            yield (seen, *judged(leaves, shown.contacts), *parted(maps))


def explained(network: Network, examples: list[Example]) -> NDArray[np.float64]:
    """Return the share of the variance of `judged` that is explained, of both planes."""
    sums = np.zeros((4, 2))
    for shown in examples:
        height, width = (size // MULTIPLE * MULTIPLE for size in shown.image.shape[:2])
        rgb = shown.image[:height, :width].astype(np.float32) / 255
        with torch.no_grad():
            found = torch.sigmoid(network(torch.from_numpy(as_input(rgb)[None])))[0].numpy()
        share, weight = judged(shown.leaves[:height, :width], shown.contacts)
        terms = (weight, weight * share, weight * share**2, weight * (found - share) ** 2)
        sums += [term.sum(axis=(1, 2)) for term in terms]
    n, total, squares, errors = sums
    return np.asarray(1 - errors / (squares - total**2 / n))


def loss_of(found: torch.Tensor, share: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    loss = nn.functional.binary_cross_entropy_with_logits(
        found.float(), share, weight=weight, reduction="sum"
    )
    return loss / weight.sum()


def train(examples: list[Example], held: list[Example], steps: int, seed: int, out: Path) -> None:
    torch.manual_seed(seed)
    network, averaged = Network().to(memory_format=torch.channels_last), Network()
    averaged.load_state_dict(network.state_dict())
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=0.1)
    crops = torch.utils.data.DataLoader(Crops(examples, seed), BATCH, num_workers=1)
    start, recent = time.perf_counter(), 0.0
    for step, (x, *truth) in enumerate(itertools.islice(crops, steps), 1):
        with torch.autocast("cpu", torch.bfloat16):
            found = network(x.to(memory_format=torch.channels_last))
        loss = 2 * loss_of(found[:, :2], *truth[:2]) + loss_of(found[:, 2:], *truth[2:])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        keep = min(AVERAGE, step / (step + 20))
        with torch.no_grad():
            new = network.state_dict()
            for name, mean in averaged.state_dict().items():
                if mean.dtype.is_floating_point:
                    mean.lerp_(new[name], 1 - keep)
                else:
                    mean.copy_(new[name])
        recent += (loss.item() - recent) * max(0.02, 1 / step)
        if step % 100 == 0:
            print(f"{step} {recent:.4f} {time.perf_counter() - start:.0f} s", flush=True)
        if step % 1000 == 0 or step == steps:
            averaged.eval()
            if held:
                print("explained", np.round(explained(averaged, held), 3), flush=True)
            save(averaged, out)


def save(network: Network, out: Path) -> None:
    """Write an ONNX file; weights of convolutions in half precision."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    torch.onnx.export(
        network,
        (torch.zeros(1, 3, 320, 480),),
        str(out),
        dynamo=False,
        opset_version=11,
        input_names=["picture"],
        output_names=["parted"],
        dynamic_axes={"picture": {2: "height", 3: "width"}},
    )
    model = onnx.load(str(out))
    nodes, casts = list(model.graph.node), []
    for tensor in model.graph.initializer:
        values, name = numpy_helper.to_array(tensor), tensor.name
        if values.ndim > 1:
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(out))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--hold", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)  # others would not be there in the process that makes crops
    examples = [example(image, truths) for image, truths, _ in load(options.root, "train", 1)]
    held = examples[:: options.hold] if options.hold else []
    kept = [shown for i, shown in enumerate(examples) if not options.hold or i % options.hold]
    train(kept, held, options.steps, options.seed, options.out)


if __name__ == "__main__":
    main()
