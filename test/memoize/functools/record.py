"""Records what CPython's functools.lru_cache counts over random calls: python3.11 record.py > observations.json

An observation is one line: the operation, then hits/misses/currsize after it. `call 3 x` calls with (3, 'x'); the
function raises when its first argument is 0; `clear` is cache_clear, which also resets the counters there.
"""

import functools
import json
import random
import sys


def record(seed, maxsize, operations):
    draw = random.Random(seed)

    @functools.lru_cache(maxsize=maxsize)
    def function(*args):
        if args and args[0] == 0:
            raise ValueError
        return args

    lines = []
    for _ in range(operations):
        if draw.random() < 0.01:
            function.cache_clear()
            operation = "clear"
        else:
            args = [draw.randrange(6) if draw.random() < 0.6 else draw.choice("abcx")]
            args += draw.choices([1, 2, "x"], k=draw.choice([0, 0, 1, 2]))
            args = args[: draw.choice([0, 1, 2, 3, 3, 3])]
            try:
                function(*args)
            except ValueError:
                pass
            operation = " ".join(["call", *map(str, args)])
        info = function.cache_info()
        lines.append(f"{operation} = {info.hits}/{info.misses}/{info.currsize}")
    return {"maxsize": maxsize, "lines": lines}


json.dump(
    {
        "python": sys.version.split()[0],
        "runs": [record(n, size, 150) for n, size in enumerate([None, 0, 1, 2, 5, 20, 128])],
    },
    sys.stdout,
    indent=2,
)
