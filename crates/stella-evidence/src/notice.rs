//! What is told of a document beside its id: nothing of it keeps the document out.

use stella_api::Code;
use stella_api::evidence::{Notice, Outcome};
use stella_assess::{Remark, remarks};
use stella_formats::Document;
use stella_locale::Labels;
use stella_service::Failure;

/// How many places of one notice are told.
const PLACES: usize = 10;

/// What was only partly understood, is not what it says, or counts for nothing here.
pub(crate) fn all(document: &Document, outcome: Outcome) -> Vec<Notice> {
    let read = document.notices.iter().map(|notice| Notice {
        code: notice.code.to_owned(),
        pointer: notice.pointer.clone(),
        message: notice.message.clone(),
    });
    let conflict = (outcome == Outcome::Conflict).then(|| Notice {
        code: Code::Aoc003.to_string(),
        pointer: String::new(),
        message: Labels::english().text("error-err-aoc-003-detail"),
    });
    let remarks = remarks(&document.body).into_iter().map(at_places);
    read.chain(conflict).chain(remarks).collect()
}

/// That a document was kept, and what is derived from it is not there yet.
pub(crate) fn not_derived(failure: &Failure) -> Notice {
    let reason = [("reason", failure.detail().into())];
    Notice {
        code: failure.code().to_string(),
        pointer: String::new(),
        message: Labels::english().format("notice-not-derived", &reason),
    }
}

/// What is remarkable at several places of a document, as one notice with the first of them.
fn at_places(remark: Remark) -> Notice {
    let labels = Labels::english();
    let name = |place: &String| match place.as_str() {
        "" => labels.text("notice-whole"),
        place => place.to_owned(),
    };
    let mut told: Vec<String> = remark.places.iter().take(PLACES).map(name).collect();
    if remark.places.len() > PLACES {
        told.push("…".to_owned());
    }
    let values = [
        ("count", remark.places.len().into()),
        ("places", told.join(", ").into()),
        ("reason", remark.reasons.join("; ").into()),
    ];
    Notice {
        code: remark.code.to_string(),
        pointer: remark.places.into_iter().next().unwrap_or_default(),
        message: labels.format(&format!("{}-detail", remark.code.label_key()), &values),
    }
}
