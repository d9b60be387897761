"""What does a person, or a driver's display, read when tracking refuses? One sentence for each code."""

from collections.abc import Mapping

from wufei.tracking.limits import LONGEST_BATCH
from wufei.tracking.positions import Refused
from wufei.tracking.refusals import Code, TrackingRefused

POSITION_TEXT: Mapping[Refused, str] = {
    Refused.SEQUENCE_REUSED: "这个序号此前报过别的位置；请检查终端是否重新编号，改用没有用过的序号。",
    Refused.COORDINATE_MALFORMED: "经纬度不是整数；应为百万分之一度的整数，如 29.0281 度写 29028100。",
    Refused.LATITUDE_OUT_OF_RANGE: "纬度超出 ±90 度；请检查经纬度是否写反、单位是否为百万分之一度。",
    Refused.LONGITUDE_OUT_OF_RANGE: "经度超出 ±180 度；请检查单位是否为百万分之一度。",
    Refused.NO_FIX: "经纬度都是 0：终端没有定到位；请等定位后再报。",
    Refused.TIME_MALFORMED: "时间看不懂；应写成 2026-07-01T10:00:00+08:00 的形式。",
    Refused.TIME_WITHOUT_ZONE: "时间没有写明时区；请加上 +08:00。",
    Refused.TRACKER_RETIRED: "这台终端已停用；请换一台，或重新登记。",
    Refused.TAKEN_IN_FUTURE: "定位时间晚于现在；请校准终端的时钟。",
    Refused.TOO_OLD: "定位时间过早，不再补收；请检查终端的时钟。",
    Refused.OUTSIDE_TRIP: "定位时间不在起运至运抵之间，不收。",
    Refused.CLOCK_BACKWARDS: "终端的时钟倒走了：序号在后而时间在前；请校准终端的时钟。",
}

TEXT: Mapping[Code, str] = {
    Code.NOT_READABLE: f"送来的内容不是位置，或一次超过 {LONGEST_BATCH} 个；请对照接口说明检查格式。",
    Code.TRACKER_UNKNOWN: "没有登记过这台终端；请先登记，或核对终端编码。",
    Code.SIGNATURE_WRONG: "签名不对；请核对密钥，换过密钥的须写入终端。",
    Code.DATUM_UNFIT: "坐标系应为 WGS84；GCJ-02（火星坐标）相差几百米，不收，请在终端设为 WGS-84。",
    Code.NAME_MISSING: "请填写终端的名称，至多 60 字。",
    Code.VEHICLE_UNKNOWN: "没有这辆车，或已停用；请先在“许可证与合同”登记车辆。",
    Code.ALREADY_RETIRED: "这台终端已经停用。",
    Code.NOT_YOUR_LEG: "这份联单现在不由本单位承运，不能上报位置。",
    Code.NOT_UNDER_WAY: "这份联单没有在运输途中，不收位置。",
    Code.PHONE_OF_ANOTHER: "这部手机正在为另一份联单上报；请刷新页面重新开始。",
    Code.ROUTE_MALFORMED: "路线读不懂；每行一个点：纬度，经度，名称，至少两个点，至多一百个。",
    Code.ROUTE_SEALED: "已经起运，路线不能再改；偏离的原因请写在提醒里。",
    Code.NOT_YOUR_ALERT: "提醒由承运人或移出人说明情况。",
    Code.REMARK_MISSING: "请写明情况，至多 300 字。",
    Code.ALREADY_ACKNOWLEDGED: "这条提醒已经有人处理。",
}

ACCEPTED = "已收到。"
OUTLIERS = "已收到；{} 个位置与前后相差过远，存疑，不画入轨迹。"


def words(refused: TrackingRefused) -> str:
    """Return why it was refused, and of what."""
    if refused.code is Code.ROUTE_MALFORMED and refused.detail not in ("", "0"):
        return f"第 {refused.detail} 行：{TEXT[refused.code]}"
    return TEXT[refused.code]


def words_of_answer(refusals: Mapping[int, Refused], outliers: int) -> str:
    """Return what the display of a tracker shows of a batch."""
    if refusals:
        first = min(refusals)
        return f"{len(refusals)} 个位置没有收下；第 {first} 号：{POSITION_TEXT[refusals[first]]}"
    return OUTLIERS.format(outliers) if outliers else ACCEPTED
