"""Records what CPython's functools.lru_cache counts over random calls: python3.11 record.py > observations.json

An observation is the operation, then hits/misses/currsize after it: `call 3 x=1/4/3` has called with (3, 'x'). The
arguments are ints, floats, booleans, None and strings; the function raises when its first argument is 0. `clear` is
cache_clear, which also resets the counters there.
"""

import functools
import json
import random
import sys

VALUES = [0, 1, 2, 3, 4, 5, 6, 1.0, 2.0, True, None, "a", "b", "1", "x"]


def record(seed, maxsize, typed, operations):
    draw = random.Random(seed)

    @functools.lru_cache(maxsize=maxsize, typed=typed)
    def function(*args):
        if args and args[0] == 0:
            raise ValueError
        return args

    observations = []
    for _ in range(operations):
        if draw.random() < 0.01:
            function.cache_clear()
            operation = "clear"
        else:
            args = draw.choices(VALUES, k=draw.choice([0, 1, 1, 1, 1, 2, 2, 3]))
            try:
                function(*args)
            except ValueError:
                pass
            operation = " ".join(["call", *(repr(arg) for arg in args)])
        info = function.cache_info()
        observations.append(f"{operation}={info.hits}/{info.misses}/{info.currsize}")
    parameters = function.cache_parameters()
    return {**parameters, "observations": ";".join(observations)}


json.dump(
    {
        "python": sys.version.split()[0],
        "runs": [
            record(n, size, typed, 300)
            for n, (size, typed) in enumerate(
                (size, typed)
                for size in [None, 0, 1, 2, 5, 20, 128]
                for typed in [False, True]
            )
        ],
    },
    sys.stdout,
    indent=1,
)
print()
