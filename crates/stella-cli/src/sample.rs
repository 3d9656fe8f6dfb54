//! The sample: documents of our own making, compiled in, so that somebody new sees findings
//! without a network. `cargo xtask sample` writes them.

use bytes::Bytes;
use stella_api::Code;
use stella_client::Client;
use stella_context::Clock;

use crate::failure::Failure;
use crate::ingest::{End, Origin, Source, send_all};
use crate::label::filled;
use crate::problem::of_code;

/// Who published the sample; whose VEX statements a tenant with the sample trusts.
pub const PUBLISHER: &str = "stella-sample";
const STREAM: &str = "sample";

macro_rules! documents {
    ($($file:literal),+ $(,)?) => {
        &[$(($file, include_bytes!(concat!("../sample/", $file)))),+]
    };
}

const DOCUMENTS: &[(&str, &[u8])] = documents![
    "advisories/RUSTSEC-2020-0071.json",
    "advisories/RUSTSEC-2020-0159.json",
    "advisories/RUSTSEC-2021-0003.json",
    "advisories/RUSTSEC-2022-0013.json",
    "advisories/RUSTSEC-2023-0061.json",
    "advisories/RUSTSEC-2024-0375.json",
    "advisories/RUSTSEC-2025-0014.json",
    "advisories/RUSTSEC-2025-0168.json",
    "kev.json",
    "openvex.json",
    "sbom.cdx.json",
];

/// What became of the sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its documents.
    pub documents: usize,
    /// Those that the store did not have yet.
    pub new: usize,
}

/// Takes the sample in; once more changes nothing. The client needs [`crate::scopes::INGEST`].
///
/// # Errors
/// Those of the server; also where it refuses a document.
pub async fn ingest(client: &Client, clock: Clock) -> Result<Taken, Failure> {
    let (tally, end) = send_all(
        client,
        sources(),
        &origin(clock),
        std::future::pending::<()>,
        |_| (),
    )
    .await;
    if let End::Stopped(failure) = end {
        return Err(failure);
    }
    if let Some(refusal) = tally.refusals().first() {
        let message = filled("sample-refused", &[("path", refusal.path.as_str().into())]);
        let mut failure = of_code(Code::Internal, message);
        failure.errors = refusal.errors.clone();
        return Err(failure);
    }
    Ok(Taken {
        documents: tally.documents(),
        new: tally.new_ones(),
    })
}

fn sources() -> Vec<Source> {
    let held = |(name, bytes): &(&str, &'static [u8])| {
        Source::Held(format!("sample/{name}"), Bytes::from_static(bytes))
    };
    DOCUMENTS.iter().map(held).collect()
}

fn origin(clock: Clock) -> Origin {
    Origin {
        publisher: Some(PUBLISHER.to_owned()),
        stream: STREAM.to_owned(),
        fetched_at: clock.now().to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_compiled_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample");
        let there = crate::ingest::collect(std::slice::from_ref(&folder)).unwrap();
        let listed = DOCUMENTS
            .iter()
            .map(|(name, _)| Source::File(folder.join(name)));
        assert_eq!(there.sources, listed.collect::<Vec<_>>());
    }

    #[test]
    fn every_document_is_read() {
        for (name, bytes) in DOCUMENTS {
            let read = stella_formats::read(bytes);
            assert!(read.is_ok(), "{}: {read:?}", PathBuf::from(name).display());
        }
    }
}
