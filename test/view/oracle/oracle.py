"""Runs view programs on CPython's own memoryview. One JSON program a line in, one observation a line out."""
import json
import struct
import sys

if sys.implementation.name != "cpython" or sys.version_info[:2] != (3, 12):
    sys.exit("the oracle is CPython 3.12, got " + sys.version)

# The text of each error, and the kind of error that stands for it.
KINDS = [
    ("operation forbidden on released memoryview", "RELEASED"),
    ("cannot modify read-only memory", "READONLY"),
    ("index out of bounds", "RANGE"),
    ("memoryview: invalid value for format", "RANGE"),
    ("slice step cannot be zero", "RANGE"),
    ("memoryview: invalid type for format", "FORMAT"),
    ("memoryview: destination format must be", "FORMAT"),
    ("memoryview: cannot cast between two non-byte formats", "FORMAT"),
    ("different structures", "STRUCTURE"),
    ("length is not a multiple of itemsize", "STRUCTURE"),
    ("casts are restricted to C-contiguous", "STRUCTURE"),
    ("cannot cast view with zeros", "STRUCTURE"),
    ("cast must be 1D -> ND or ND -> 1D", "STRUCTURE"),
    ("elements of shape must be integers > 0", "STRUCTURE"),
    ("product(shape) * itemsize != buffer size", "STRUCTURE"),
    ("number of dimensions must not exceed", "STRUCTURE"),
    ("sub-views are not implemented", "STRUCTURE"),
    ("restricted to ndim = 1", "STRUCTURE"),
    ("invalid indexing of 0-dim memory", "STRUCTURE"),
    ("-element tuple", "STRUCTURE"),
]


def kind_of(error):
    if isinstance(error, BufferError):
        return "!EXPORTED"
    text = str(error)
    for part, kind in KINDS:
        if part in text:
            return "!" + kind
    raise error


def shown(item):
    if isinstance(item, bool):
        return "T" if item else "F"
    if isinstance(item, int):
        return str(item)
    if isinstance(item, float):
        return "nan" if item != item else struct.pack(">d", item).hex()
    if isinstance(item, bytes):
        return "b" + item.hex()
    return "[" + ",".join(map(shown, item)) + "]"


def stored(encoded):
    kind, value = encoded["type"], encoded["value"]
    if kind == "int":
        return int(value)
    if kind == "float":
        return struct.unpack(">d", bytes.fromhex(value))[0]
    if kind == "bytes":
        return bytes.fromhex(value)
    if kind == "bool":
        return value == "true"
    return None if kind == "none" else value


def index(indexes):
    return indexes[0] if len(indexes) == 1 else tuple(indexes)


def info(v):
    flags = "".join("01"[flag] for flag in (v.readonly, v.contiguous, v.c_contiguous, v.f_contiguous))
    dims = " ".join(str(list(dims)).replace(" ", "") for dims in (v.shape, v.strides))
    return f"{v.format} {v.itemsize} {v.ndim} {v.nbytes} {dims} {flags} {len(v) if v.ndim else 1}"


def run(program):
    sources = [bytearray.fromhex(text) for text in program["sources"]]
    views = []

    def keep(view):
        views.append(view)
        return str(len(views) - 1)

    def iterate_released(v):
        try:
            items = iter(v)
        except SystemError as error:  # CPython 3.12.1 gives an iterator and raises ValueError for some released views.
            raise error.__cause__
        first = next(items, None)
        v.release()
        try:
            next(items)
        except StopIteration:
            return "end"
        except ValueError as error:
            return ("none" if first is None else shown(first)) + kind_of(error)
        return "more"

    def resize(s, length):
        source = sources[s]
        if length < len(source):
            del source[length:]
        else:
            source.extend(bytes(length - len(source)))
        return str(len(source))

    def assign(v, value, start, end, step):
        v[start:end:step] = value
        return "ok"

    def set_item(v, indexes, value):
        v[index(indexes)] = value
        return "ok"

    def step_of(op):
        name, target, *rest = op
        if name == "view":
            return keep(memoryview(sources[target]))
        if name == "resize":
            return resize(target, *rest)
        if name == "source":
            return sources[target].hex()
        v = views[target]
        if name == "again":
            return keep(memoryview(v))
        if name == "cast":
            return keep(v.cast(rest[0]) if rest[1] is None else v.cast(*rest))
        if name == "slice":
            return keep(v[rest[0]:rest[1]:rest[2]])
        if name == "readonly":
            return keep(v.toreadonly())
        if name == "at":
            return shown(v[index(rest[0])])
        if name == "set":
            return set_item(v, rest[0], stored(rest[1]))
        if name == "assign":
            return assign(v, views[rest[0]], *rest[1:])
        if name == "assignBytes":
            return assign(v, bytes.fromhex(rest[0]), *rest[1:])
        if name == "toBytes":
            return v.tobytes(rest[0]).hex()
        if name == "toList":
            return shown(v.tolist())
        if name == "iterate":
            return shown(list(v))
        if name == "hex":
            return v.hex() if rest[0] is None else v.hex(*rest)
        if name == "equals":
            return shown(v == views[rest[0]])
        if name == "equalsBytes":
            return shown(v == bytes.fromhex(rest[0]))
        if name == "release":
            v.release()
            return "ok"
        if name == "iterateReleased":
            return iterate_released(v)
        if name == "info":
            return info(v)
        raise LookupError(name)

    def observed(op):
        if op[0] not in ("view", "resize", "source") and op[1] >= len(views):
            return "no view"
        if op[0] in ("assign", "equals") and op[2] >= len(views):
            return "no view"
        try:
            return step_of(op)
        except (BufferError, IndexError, NotImplementedError, TypeError, ValueError) as error:
            return kind_of(error)

    return {"name": program["name"], "obs": [observed(op) for op in program["ops"]]}


for line in sys.stdin:
    print(json.dumps(run(json.loads(line)), separators=(",", ":")))
