"""Sources of rules and figures in Chinese: what doctrine and desks state in English, by its exact words."""

from __future__ import annotations

from typing import Final

SOURCES: Final = {
    "China Meteorological Administration Order 16 (2007), table of signals; icing and fog "
    "rows on two further public pages": (
        "中国气象局令第16号（2007年）信号标准表；结冰与大雾标准另见两处公开页面"
    ),
    "China Meteorological Administration Order 16 (2007): haze is low visibility in air that "
    "is not moist": "中国气象局令第16号（2007年）：霾指空气不潮湿时能见度低",
    "Chinese emergency event codes as used in public CAP messages (GB/T 35965 family; the "
    "standard's own text was not read)": "公开CAP消息所用的突发事件代码（GB/T 35965系列；未查阅标准原文）",
    "Chinese practice as suppliers state it: 30 to 50 g/m2 below 50 mm of snow; no national "
    "table was found": "国内做法（据供应商说明）：积雪50毫米以下每平方米30至50克；未查到全国统一标准",
    "Clearway default after the sunset logic of the Emergency Response Law (2024) art. 70, "
    "72, 86": "畅途默认，参照《突发事件应对法》（2024）第70、72、86条的措施期限原则",
    "Clearway default between Norway (25 vehicles) and reported Chinese batches (100-250)": (
        "畅途默认，取挪威（25辆）与国内报道批次（100至250辆）之间"
    ),
    "Clearway default of a deployment in China; override locally": "畅途国内部署默认值，可按本地设置",
    "Clearway default: Finnish hours (B) for the first lane; all lanes is our own figure": (
        "畅途默认：首条车道采用芬兰时限（B级），全部车道时限为本系统取值"
    ),
    "Clearway default: a full lift needs a drive-through or a crew's own reading; a sign "
    "seen is seen for two hours": "畅途默认：全部解除须经试行查验或现场班组实测；标志核查结果两小时内有效",
    "Clearway default: act within 15 min of an orange or red signal": (
        "畅途默认：橙色或红色信号后15分钟内行动"
    ),
    "Clearway default: at most twelve new proposals an hour reach a post; the rest waits "
    "visibly": "畅途默认：每岗位每小时最多新增12条建议，其余列明等候",
    "Clearway default: beyond the matrix; sand alone where salt no longer works": (
        "畅途默认：超出用量表范围；融雪剂失效时仅撒防滑料"
    ),
    "Clearway default: codes of posts; a deployment names its own": "畅途默认：岗位代码，各部署可自行命名",
    "Clearway default: control levels as colours": "畅途默认：管控等级与颜色的对应",
    "Clearway default: fresh snow ten times as deep as its water; wind chill by the NWS "
    "formula of 2001": "畅途默认：新雪深度按水量10倍计；风寒温度按NWS 2001年公式",
    "Clearway default: only where neither limits nor treatment can make the road safe": (
        "畅途默认：仅当限速与除雪均不能保证安全时"
    ),
    "Clearway default: raise at once, lower after a hold": "畅途默认：立即升级，稳定一段时间后降级",
    "Clearway default: red Extreme, orange Severe, yellow Moderate, blue Minor": (
        "畅途默认：红色为Extreme，橙色为Severe，黄色为Moderate，蓝色为Minor"
    ),
    "Clearway default: rhythm of public notices; CAP 1.2 for certainty and urgency": (
        "畅途默认：公告发布节奏；确定性与紧迫性依CAP 1.2"
    ),
    "Clearway default: tell 30 min before or at once, acknowledge in 10 min, else call the "
    "superior": "畅途默认：提前30分钟或立即告知，10分钟内确认，否则呼叫上级",
    "Clearway default: the frost signal serves crops, so it is assessed in the growing "
    "season only; ground below air on clear nights": (
        "畅途默认：霜冻信号服务农作物，仅在生长季判定；晴夜地温低于气温"
    ),
    "Clearway default: what 'some', 'considerable' and 'severe' effect on traffic mean; "
    "weights stand in for traffic where none is measured (order of 80,000, 20,000 and 1,500 "
    "vehicles a day)": (
        "畅途默认：对交通“一定”“较大”“严重”影响的界定；无实测流量时以权重代替（约每日8万、2万和1500辆）"
    ),
    "Clearway default: when an alarm nobody takes up calls the next post, and what calls "
    "before its deadline": "畅途默认：告警无人受理时何时呼叫下一岗位，哪些事项在时限前提醒",
    "Clearway default: which scheme of service classes counts": "畅途默认：采用哪一套养护服务等级",
    "Clearway default: which table of rates counts (scotland, maine, china), in which form "
    "(dry, prewet, brine)": (
        "畅途默认：采用哪一张用量表（苏格兰、缅因、国内）及何种形式（干撒、预湿、盐水）"
    ),
    "Clearway default: brine holds no salt in reserve, so it stays at home where NWSRG calls "
    "salt weak": "畅途默认：盐水无储备盐分，NWSRG认为融雪剂效力弱时不喷洒",
    "Clearway default: depth from which such roads are worked": "畅途默认：该类道路开始作业的积雪深度",
    "Clearway default: how many runs a working speed is learnt from, and how far it may "
    "leave the stated one": "畅途默认：采用实测作业速度所需次数及其与设定值的最大偏差",
    "Clearway default: hours between two treatments of a road": "畅途默认：同一道路两次处置的间隔",
    "Clearway default: no hours for a first lane are given": "畅途默认：原文未规定首条车道时限",
    "Clearway default: road classes of ours that a foreign class is taken for": (
        "畅途默认：国外等级对应的本系统道路等级"
    ),
    "Clearway default: snow that lies is ploughed before salt is spread on it; MDSS waits "
    "for 25.4 mm": "畅途默认：路面积雪先推后撒；MDSS自25.4毫米起推雪",
    "Clearway default: what an hour of lateness weighs": "畅途默认：逾时一小时的权重",
    "Clearway default: which of MDSS's traffic classes (k = 3 above 250 vehicles an hour and "
    "lane) a road has": "畅途默认：道路所属的MDSS交通量等级（每车道每小时250辆以上k=3）",
    "Clearway default: tries a minute apart that fail before the duty officer is called, and how "
    "old the last good cycle of an hourly loop may be": (
        "畅途默认：每分钟重试连续失败多少次后呼叫值班员，以及每小时研判最近一次成功结果的最大时效"
    ),
    "Clearway default; CAP 1.2 calls 50 % and more likely": "畅途默认；CAP 1.2以50%及以上为“可能”",
    "Clearway default; the 30 min hold is that of Severn Bridge 2003 (A) and a Jiangsu fog system (B)": (
        "畅途默认；30分钟稳定期取自英国塞文桥（Severn Bridge）2003年规程（A级）和江苏大雾管控系统（B级）"
    ),
    "Clearway default; service classes of doctrine winter.service": "畅途默认；除雪服务等级（规则库）",
    "Clearway default": "畅途默认",
    "Finnish winter maintenance: low class up to 10 cm, 6 h": (
        "芬兰冬季养护标准（Finnish winter maintenance）：低等级道路积雪不超过10厘米，6小时"
    ),
    "Finnish winter maintenance: main roads clear 2-3 h after snow ends": (
        "芬兰冬季养护标准（Finnish winter maintenance）：雪停后2至3小时主干道清净"
    ),
    "HCM 2010 as quoted by FHWA-HOP-13-042, appendix A: mean loss of freeway capacity": (
        "美国《道路通行能力手册》2010（Highway Capacity Manual，转引自FHWA-HOP-13-042附录A）：高速公路通"
        "行能力平均损失"
    ),
    "Implementation Regulations of the Road Traffic Safety Law (State Council Order 405, "
    "2017 text)": "《道路交通安全法实施条例》（国务院令第405号，2017年文本）",
    "Jiangsu expressway control levels in severe weather (plan excerpt and press, 2014-2019)": (
        "江苏高速公路恶劣天气分级管控（预案摘录与报道，2014至2019年）"
    ),
    "MDSS ChemConc: eutectic of sodium chloride, 23.3 % by weight at -21.6 °C": (
        "美国养护决策支持系统（MDSS ChemConc）：氯化钠共晶点，质量浓度23.3%，-21.6℃"
    ),
    "MDSS: liquid pre-treatment of 40 to 100 US gallons a lane mile": (
        "美国养护决策支持系统（MDSS）：液体预处置每车道英里40至100美制加仑"
    ),
    "Clearway default: density of 23.3 % sodium chloride brine; weigh a litre of your own": (
        "Clearway默认值：23.3%氯化钠盐水密度，请称量自配盐水"
    ),
    "MDSS rules of practice (treat at or below 1.5 °C); NWSRG (salt weak below -7 °C, floor -15 °C)": (
        "美国养护决策支持系统作业规则（MDSS rules of practice，1.5℃及以下处置）；英国冬季养护研究组指南（"
        "NWSRG，-7℃以下融雪剂效力弱，下限-15℃）"
    ),
    "MaineDOT (NTL repository 14387, appendix A): lb per lane mile, 15 to 20 F, pre-wetted; "
    "below plough only": (
        "美国缅因州交通部用量表（MaineDOT，NTL 14387附录A）：每车道英里用量，15至20华氏度，预湿；更冷仅推雪"
    ),
    "MaineDOT (NTL repository 14387, appendix A): rock salt, lb per lane mile, 20 to 28 F": (
        "美国缅因州交通部用量表（MaineDOT，NTL 14387附录A）：岩盐每车道英里用量，20至28华氏度"
    ),
    "MaineDOT (NTL repository 14387, appendix A): rock salt, lb per lane mile, 28 to 32 F": (
        "美国缅因州交通部用量表（MaineDOT，NTL 14387附录A）：岩盐每车道英里用量，28至32华氏度"
    ),
    "MaineDOT (NTL repository 14387, appendix A): rock salt, lb per lane mile, above 32 F": (
        "美国缅因州交通部用量表（MaineDOT，NTL 14387附录A）：岩盐每车道英里用量，32华氏度以上"
    ),
    "NWS Northern Indiana WWA criteria; NWS Kansas City product list": (
        "美国国家气象局（NWS）北印第安纳预警标准（WWA criteria）；堪萨斯城产品清单（product list）"
    ),
    "Road Traffic Safety Law (2021 text)": "《道路交通安全法》（2021年文本）",
    "Order 137 (2016)": "第137号令（2016年）",
    "Traffic Police Road Duty Rules (2008 text)": "《交通警察道路执勤执法工作规范》（2008年文本）",
    "Traffic Police Road Duty Rules": "《交通警察道路执勤执法工作规范》",
    "Shijiazhuang 2014, heavy snow: fast lanes passable in 4 h, arterials clear in 48 h": (
        "石家庄2014年大雪标准：快车道4小时可通行，主干道48小时清净"
    ),
    "Shijiazhuang 2014, heavy snow: secondary roads clear in 72 h": (
        "石家庄2014年大雪标准：次干道72小时清净"
    ),
    "Shijiazhuang 2014, medium snow: fast lanes passable in 2 h, arterials clear in 24 h": (
        "石家庄2014年中雪标准：快车道2小时可通行，主干道24小时清净"
    ),
    "Shijiazhuang 2014, medium snow: secondary roads clear in 48 h": (
        "石家庄2014年中雪标准：次干道48小时清净"
    ),
    "Shijiazhuang snow-clearing plan (2014)": "石家庄清雪预案（2014年）",
    "Sweden 2008: black roads start at 1 cm, 2 h, and the same again after snow ends": (
        "瑞典2008年：黑级道路1厘米起作业，2小时，雪停后再2小时"
    ),
    "Sweden 2008: blue roads start at 2 cm, 5 h": "瑞典2008年：蓝级道路2厘米起作业，5小时",
    "Sweden 2008: green roads start at 2 cm, 4 h": "瑞典2008年：绿级道路2厘米起作业，4小时",
    "Sweden 2008: grey roads start at 3 cm, 6 h": "瑞典2008年：灰级道路3厘米起作业，6小时",
    "Sweden 2008: yellow roads start at 1 cm, 3 h": "瑞典2008年：黄级道路1厘米起作业，3小时",
    "Transport Scotland, winter service manual: treatment matrix, light snow below 10 mm, snow above 30 mm": (
        "苏格兰交通署《冬季养护手册》（Winter Service Manual）：处置用量表，小雪低于10毫米，大雪高于30毫米"
    ),
    "Transport Scotland, winter service manual: treatment matrix, g/m2 of pre-wetted salt": (
        "苏格兰交通署《冬季养护手册》（Winter Service Manual）：处置用量表，预湿融雪剂克每平方米"
    ),
    "Transport Scotland, winter service manual: treatment matrix, g/m2 of salt": (
        "苏格兰交通署《冬季养护手册》（Winter Service Manual）：处置用量表，融雪剂克每平方米"
    ),
    "Widely published national short numbers; check locally before going live": (
        "公开的全国统一短号；启用前请在本地核对"
    ),
    "CAP 1.2, sections 3.2.1 and 3.2.2": "CAP 1.2第3.2.1和3.2.2节",
    "travel desk: driver law art. 46 and 81 on the road surface model": (
        "出行服务模块：《道路交通安全法实施条例》第46、81条与路面模式"
    ),
    "METRo station file": "METRo测站文件",
    "Clearway demo replay of November 2015": "畅途演示：2015年11月天气回放",
    "simulated crew report": "模拟班组报告",
    "crews on the road": "现场班组",
    "weather signals desk": "气象信号模块",
    "winter plan solver and independent checker": "除雪作业单求解与独立校验",
    "solution point, dilution and losses after MDSS": "溶液冰点、稀释与损耗依MDSS",
    "exercise": "演练",
    "report": "报告",
    "journal": "日志",
}
"""Every source that the shipped doctrine and the desks state, and its Chinese."""
