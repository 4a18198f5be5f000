"""Canonical JSON (RFC 8785, rule R-5): one value has one text, whichever language wrote it."""

import json
from decimal import Decimal

import numpy as np


class NotJson(ValueError):
    """A value that JSON cannot hold; the message says which."""


def canonical(value) -> str:
    """Numpy scalars and arrays count as the numbers and lists that they hold."""
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise NotJson("a string with half a surrogate pair")
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, dict):
        if odd := [key for key in value if not isinstance(key, str)]:
            raise NotJson(f"a key that is no string: {odd[0]!r}")
        ordered = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{canonical(key)}:{canonical(item)}" for key, item in ordered) + "}"
    raise NotJson(f"a {type(value).__name__}")


def number(value) -> str:
    """As ECMAScript prints the double: the shortest digits that read back as it, with an exponent below 1e-6 and from 1e21 on."""
    if value != value or abs(value) > 1.7976931348623157e308 or float(value) != value:
        raise NotJson(f"the number {value}")
    sign, figures, exponent = Decimal(repr(float(value))).normalize().as_tuple()
    digits = "".join(map(str, figures))
    point = len(digits) + exponent  # digits before the point
    if digits == "0":
        return "0"
    if len(digits) <= point <= 21:
        text = digits.ljust(point, "0")
    elif 0 < point <= 21:
        text = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        text = f"{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return "-" * sign + text
