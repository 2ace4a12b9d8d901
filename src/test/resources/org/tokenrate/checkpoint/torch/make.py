"""Writes the torch archives beside this file: python make.py (made with torch 1.13; current.bin with torch 2.13)."""

import collections
import pathlib
import sys

import torch

here = pathlib.Path(__file__).parent


def save(name, value, **options):
    torch.save(value, here / name, **options)


def counting(*shape, dtype=torch.float32):
    count = 1
    for extent in shape:
        count *= extent
    return (torch.arange(count, dtype=torch.float32).reshape(shape) - 1.5).to(dtype)


def types():
    return {
        "f32": counting(2, 3),
        "f16": counting(2, 2, dtype=torch.float16),
        "bf16": counting(3, dtype=torch.bfloat16),
        "i32": torch.tensor([[1, -2]], dtype=torch.int32),
        "i64": torch.tensor([1, 2]),
        "mask": torch.tensor([True, False]),
        "f64": torch.ones(2, dtype=torch.float64),
        "parameter": torch.nn.Parameter(counting(2, 2)),
        "steps": 7,
        "nothing": None,
    }


if sys.argv[1:] == ["current"]:
    parameter = torch.nn.Parameter(counting(2))
    parameter.tensor_parallel = True
    save("current.bin", types() | {"with_attributes": parameter})
    sys.exit()

save("types.bin", types())
for protocol in (3, 4, 5):
    save(f"protocol-{protocol}.bin", types(), pickle_protocol=protocol)

whole = counting(4, 3)
save("shared.bin", {"whole": whole, "rows": whole[1:3], "tied": whole, "last": whole[3]})
save("module.bin", torch.nn.Linear(3, 2).state_dict())
save("nested.bin", {"epoch": 3, "state_dict": collections.OrderedDict(w=counting(2)), "optimizer": {"lr": 0.1}})
save("transposed.bin", {"good": counting(2), "turned": counting(2, 3).t()})
save("columns.bin", {"part": counting(2, 3)[:, :2]})
save("broadcast.bin", {"same": torch.zeros(1).expand(4)})
save("scalar.bin", {"one": torch.tensor(1.0)})
save("empty.bin", {"none": torch.zeros(0, 3)})
save("sparse.bin", {"sparse": torch.eye(2).to_sparse()})
save("list.bin", [counting(2)])
save("legacy.bin", {"w": counting(2)}, _use_new_zipfile_serialization=False)
save("module-object.bin", torch.nn.Linear(2, 2))
torch.jit.script(torch.nn.Linear(2, 2)).save(str(here / "script.bin"))
