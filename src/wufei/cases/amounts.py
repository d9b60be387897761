"""
How is an exact amount written into an official form?

The only place where case files round. Half-up, once, from the exact value: 万吨 to four decimals, or to
as many more as show three significant digits, so that a small amount is not written as 0; percentages
to two decimals; intensities like 万吨. Stated values are written as they were stated.
"""

from decimal import ROUND_HALF_UP, Decimal

from wufei.indicators.figure import plain

UNKNOWN = "未知"
ROUNDING = (
    "四舍五入，只在写入文书时进行一次：数量（万吨）和强度保留 4 位小数，数值很小时增加位数至 3 位有效数字；"
    "百分数保留 2 位小数；单位填报的数值原样写入。"
)

_TONNES_PER_10K = Decimal(10_000)
_AMOUNT_PLACES = 4
_SIGNIFICANT = 3
_MOST_PLACES = 10  # one gram in 万吨
_PERCENT_PLACES = 2


def in_10k_tonnes(tonnes: Decimal) -> str:
    """
    Write an amount in 万吨.

    >>> in_10k_tonnes(Decimal("123456.5")), in_10k_tonnes(Decimal("1.25")), in_10k_tonnes(Decimal(0))
    ('12.3457', '0.000125', '0.0000')
    """
    return _written(tonnes / _TONNES_PER_10K)


def intensity(value: Decimal) -> str:
    """
    Write tonnes for each unit of value added or product.

    >>> intensity(Decimal("0.33335"))
    '0.3334'
    """
    return _written(value)


def percentage(value: Decimal) -> str:
    """
    Write a percentage without its sign.

    >>> percentage(Decimal("94.095")), percentage(Decimal(100))
    ('94.10', '100.00')
    """
    return _rounded(value, _PERCENT_PLACES)


def stated(value: Decimal) -> str:
    """
    Write a value as it was stated.

    >>> stated(Decimal("4800.000000"))
    '4800'
    """
    return plain(value) or "0"


def file_size(size: int) -> str:
    """
    Write a file's size for people.

    >>> file_size(900), file_size(1536), file_size(5 * 1024 * 1024)
    ('900 B', '1.5 KB', '5.0 MB')
    """
    for unit, factor in (("MB", 1024 * 1024), ("KB", 1024)):
        if size >= factor:
            return f"{_rounded(Decimal(size) / factor, 1)} {unit}"
    return f"{size} B"


def _written(value: Decimal) -> str:
    wanted = _SIGNIFICANT - 1 - value.adjusted() if value else 0
    return _rounded(value, min(max(_AMOUNT_PLACES, wanted), _MOST_PLACES))


def _rounded(value: Decimal, places: int) -> str:
    return format(value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP), "f")
