//! The metrics of each CVSS version with their values, in the order of the specifications.
//!
//! An optional metric's first value is "not defined"; base metrics have none. The place of a
//! value in its list is what a parsed vector keeps, and what the weights are looked up by.

/// The group a metric belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Base,
    /// Temporal in v2 and v3, Threat in v4.
    Threat,
    Environmental,
    Supplemental,
}

pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) values: &'static [&'static str],
    pub(super) group: Group,
}

const fn metric(group: Group, name: &'static str, values: &'static [&'static str]) -> Metric {
    Metric {
        name,
        values,
        group,
    }
}
const fn base(name: &'static str, values: &'static [&'static str]) -> Metric {
    metric(Group::Base, name, values)
}
const fn threat(name: &'static str, values: &'static [&'static str]) -> Metric {
    metric(Group::Threat, name, values)
}
const fn env(name: &'static str, values: &'static [&'static str]) -> Metric {
    metric(Group::Environmental, name, values)
}
const fn extra(name: &'static str, values: &'static [&'static str]) -> Metric {
    metric(Group::Supplemental, name, values)
}

/// CVSS v2.0, guide section 2 and table 13.
pub(super) static V2: [Metric; 14] = [
    base("AV", &["L", "A", "N"]),
    base("AC", &["H", "M", "L"]),
    base("Au", &["M", "S", "N"]),
    base("C", &["N", "P", "C"]),
    base("I", &["N", "P", "C"]),
    base("A", &["N", "P", "C"]),
    threat("E", &["ND", "U", "POC", "F", "H"]),
    threat("RL", &["ND", "OF", "TF", "W", "U"]),
    threat("RC", &["ND", "UC", "UR", "C"]),
    env("CDP", &["ND", "N", "L", "LM", "MH", "H"]),
    env("TD", &["ND", "N", "L", "M", "H"]),
    env("CR", &["ND", "L", "M", "H"]),
    env("IR", &["ND", "L", "M", "H"]),
    env("AR", &["ND", "L", "M", "H"]),
];

/// CVSS v3.0 and v3.1, specification section 6, table 15.
pub(super) static V3: [Metric; 22] = [
    base("AV", &["N", "A", "L", "P"]),
    base("AC", &["L", "H"]),
    base("PR", &["N", "L", "H"]),
    base("UI", &["N", "R"]),
    base("S", &["U", "C"]),
    base("C", &["H", "L", "N"]),
    base("I", &["H", "L", "N"]),
    base("A", &["H", "L", "N"]),
    threat("E", &["X", "H", "F", "P", "U"]),
    threat("RL", &["X", "U", "W", "T", "O"]),
    threat("RC", &["X", "C", "R", "U"]),
    env("CR", &["X", "H", "M", "L"]),
    env("IR", &["X", "H", "M", "L"]),
    env("AR", &["X", "H", "M", "L"]),
    env("MAV", &["X", "N", "A", "L", "P"]),
    env("MAC", &["X", "L", "H"]),
    env("MPR", &["X", "N", "L", "H"]),
    env("MUI", &["X", "N", "R"]),
    env("MS", &["X", "U", "C"]),
    env("MC", &["X", "H", "L", "N"]),
    env("MI", &["X", "H", "L", "N"]),
    env("MA", &["X", "H", "L", "N"]),
];

/// CVSS v4.0, specification section 7, table 23.
pub(super) static V4: [Metric; 32] = [
    base("AV", &["N", "A", "L", "P"]),
    base("AC", &["L", "H"]),
    base("AT", &["N", "P"]),
    base("PR", &["N", "L", "H"]),
    base("UI", &["N", "P", "A"]),
    base("VC", &["H", "L", "N"]),
    base("VI", &["H", "L", "N"]),
    base("VA", &["H", "L", "N"]),
    base("SC", &["H", "L", "N"]),
    base("SI", &["H", "L", "N"]),
    base("SA", &["H", "L", "N"]),
    threat("E", &["X", "A", "P", "U"]),
    env("CR", &["X", "H", "M", "L"]),
    env("IR", &["X", "H", "M", "L"]),
    env("AR", &["X", "H", "M", "L"]),
    env("MAV", &["X", "N", "A", "L", "P"]),
    env("MAC", &["X", "L", "H"]),
    env("MAT", &["X", "N", "P"]),
    env("MPR", &["X", "N", "L", "H"]),
    env("MUI", &["X", "N", "P", "A"]),
    env("MVC", &["X", "H", "L", "N"]),
    env("MVI", &["X", "H", "L", "N"]),
    env("MVA", &["X", "H", "L", "N"]),
    env("MSC", &["X", "H", "L", "N"]),
    env("MSI", &["X", "H", "L", "N", "S"]),
    env("MSA", &["X", "H", "L", "N", "S"]),
    extra("S", &["X", "N", "P"]),
    extra("AU", &["X", "N", "Y"]),
    extra("R", &["X", "A", "U", "I"]),
    extra("V", &["X", "D", "C"]),
    extra("RE", &["X", "L", "M", "H"]),
    extra("U", &["X", "Clear", "Green", "Amber", "Red"]),
];
