"""What CPython's random module gives for many seeds and sizes: the expected values of PythonRandomTest.

    python3 src/test/python/python_random.py > src/test/resources/org/tokenrate/dataset/python-random.json
"""

import hashlib
import json
import random

SEEDS = [0, 1, 42, 2**31, 2**32 - 1, 2**32, 2**40 + 7, -5, 2**63 - 1, -(2**63)]
SHUFFLE_SIZES = list(range(51)) + [1000, 94145]
# Around the sizes where sample() changes from a set to a list, and LMDeploy's own.
SAMPLES = [(0, 0), (1, 1), (21, 5), (22, 5), (85, 6), (86, 6), (277, 22), (278, 22), (1000, 1000), (5000, 1000),
           (1045, 85), (1046, 85), (16405, 1000), (16406, 1000), (94145, 6000), (94145, 5000), (200000, 3), (5, 0)]


def digest(numbers):
    return hashlib.sha256(",".join(map(str, numbers)).encode()).hexdigest()


def shuffled(seed, size):
    rng = random.Random(seed)
    numbers = list(range(size))
    rng.shuffle(numbers)
    return numbers


def of_seed(seed):
    rng = random.Random(seed)
    return {
        "seed": seed,
        "random": [rng.random().hex() for _ in range(1000)][::111],
        "getrandbits": [str(rng.getrandbits(k)) for k in range(65)],
        "randrange": [rng.randrange(n) for n in (1, 2, 3, 4, 5, 31, 32, 33, 1000, 2**31 - 1)],
        "shuffle": {str(n): digest(shuffled(seed, n)) for n in SHUFFLE_SIZES},
        "sample": [
            {"n": n, "k": k, "sha256": digest(random.Random(seed).sample(range(n), k))} for n, k in SAMPLES
        ],
        # One generator through all, as LMDeploy's presampling uses it.
        "sample_twice": digest((lambda r: r.sample(r.sample(range(94145), 6000), 5000))(random.Random(seed))),
    }


print(json.dumps([of_seed(seed) for seed in SEEDS], indent=1))
