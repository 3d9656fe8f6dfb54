//! One finding, all of it.

use std::collections::BTreeMap;

use stella_api::evidence::EvidenceKind;
use stella_api::findings::{Finding, FindingSource, Verdict};

use crate::answer::Answer;
use crate::failure::Failure;
use crate::id::short;
use crate::label::{filled, label};
use crate::scores;
use crate::style::Tone;
use crate::table::{Cell, Table};

/// A finding as a record with its sources.
pub(crate) fn record(finding: &Finding) -> Result<Answer, Failure> {
    let next = filled(
        "finding-next",
        &[("id", short(&finding.id).to_owned().into())],
    );
    Ok(Answer::new(finding)?
        .table(Table::record(fields(finding)))
        .line("")
        .table(scores::sources(&finding.sources))
        .line("")
        .line(next))
}

fn fields(finding: &Finding) -> Vec<(String, Cell)> {
    let (component, matched) = (&finding.component, &finding.matched);
    let faint = |text: &str| Cell::new(text).tone(Tone::Faint);
    let list = |texts: &[String]| Some(texts.join(", ")).filter(|text| !text.is_empty());
    let place = |document: &str, pointer: &str| faint(&format!("{document} {pointer}"));
    let fields = [
        ("field-vulnerability", Cell::new(&finding.vulnerability)),
        ("field-also", Cell::maybe(list(others(finding)))),
        ("field-summary", Cell::maybe(finding.summary.as_ref())),
        ("field-class", Cell::maybe(finding.informational.as_ref())),
        ("field-component", Cell::new(&component.purl)),
        ("field-version", Cell::new(&component.version)),
        ("field-verdict", verdict(matched.verdict)),
        ("field-rule", Cell::new(&matched.rule)),
        ("field-range-affected", Cell::new(&matched.range)),
        ("field-fixed", Cell::maybe(list(&finding.fixed_versions))),
        ("field-vex", Cell::new(vex(&finding.sources))),
        ("field-bom-ref", Cell::maybe(component.bom_ref.as_ref())),
        ("field-in-sbom", place(&component.sbom, &component.pointer)),
        (
            "field-by-document",
            place(&matched.document, &matched.pointer),
        ),
        ("field-finding-id", faint(&finding.id)),
    ];
    fields.map(|(key, cell)| (label(key), cell)).into()
}

/// The ids beside the first, which is shown by itself.
fn others(finding: &Finding) -> &[String] {
    finding.vulnerability_ids.get(1..).unwrap_or_default()
}

fn verdict(verdict: Verdict) -> Cell {
    match verdict {
        Verdict::Affected => Cell::new(label("verdict-affected")).tone(Tone::Bad),
        Verdict::Undetermined => Cell::new(label("verdict-undetermined")).tone(Tone::Unknown),
    }
}

/// Whose VEX documents name the vulnerability. Whether any of it speaks to the component, or the SBOM
/// states something itself, an explanation says.
fn vex(sources: &[FindingSource]) -> String {
    let of_vex = sources.iter();
    let of_vex = of_vex.filter(|source| source.kind == EvidenceKind::Vex);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for source in of_vex {
        *counts.entry(&source.publisher).or_default() += 1;
    }
    let each = counts.iter().map(|(publisher, count)| match count {
        1 => (*publisher).to_owned(),
        more => format!("{publisher} ({more})"),
    });
    let publishers = each.collect::<Vec<_>>().join(", ");
    if counts.is_empty() {
        return label("finding-no-vex");
    }
    filled("finding-vex", &[("publishers", publishers.as_str().into())])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scores::made_up;
    use crate::{Format, style::Style};

    #[test]
    fn a_finding_as_a_record() {
        let answer = record(&made_up::finding("libwebp-sys", "0.9.2")).unwrap();
        let text = answer.render(Format::Table, Style::default()).unwrap();
        insta::assert_snapshot!(text);
    }
}
