"""Canonical JSON (RFC 8785, rule R-5): one value has one text, whichever language wrote it."""

import json
import re
import sys
from decimal import Decimal

import numpy as np


def canonical(value: object) -> str:
    """Numpy's scalars and arrays are the numbers and lists that they hold. Raises ValueError or TypeError for what JSON cannot hold."""
    match value:
        case np.ndarray() | np.generic():
            return canonical(value.tolist())
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int() | float():
            return number(value)
        case list() | tuple():
            return "[" + ",".join(map(canonical, value)) + "]"
        case dict():
            keys = sorted(value, key=lambda key: str.encode(key, "utf-16-be", "surrogatepass"))
            return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in keys) + "}"
    raise TypeError(f"a {type(value).__name__}")


def number(value: int | float) -> str:
    """As ECMAScript prints it: the shortest digits that read back as the same double, with an exponent below 1e-6 and from 1e21 on."""
    if not abs(value) <= sys.float_info.max or float(value) != value:
        raise ValueError(f"the number {value}, which no double is")
    double = float(value)
    if 1e-6 <= abs(double) < 1e21:
        return format(Decimal(repr(double)).normalize(), "f")
    return re.sub("(?<=e-)0", "", repr(double)) if double else "0"
