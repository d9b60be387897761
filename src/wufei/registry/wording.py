"""What does a person read when a permit, a contract or a vehicle can't be recorded so? One sentence for each code."""

from collections.abc import Mapping

PERMIT_REFUSALS: Mapping[str, str] = {
    "number_missing": "请填写编号。",
    "days_reversed": "有效期的结束早于开始，或日期晚于今天；请核对。",
    "groups_missing": "请填写废物代码或类别和年经营能力。",
    "waste_code_unknown": "废物代码或类别不对；请核对。",
    "capacity_not_positive": "年经营能力应大于零。",
    "load_not_positive": "核定载质量应大于零。",
    "recorded_already": "这个编号已经登记过；请核对。",
    "with_itself": "对方不能是本单位自己。",
    "found_missing": "请写明主体资格和技术能力核实的结果。",
    "plate_missing": "请填写车牌号。",
    "name_missing": "请填写姓名。",
    "verified_already": "这份许可证已经核实过。",
    "ended_already": "已经终止或停用；请刷新后查看。",
}
