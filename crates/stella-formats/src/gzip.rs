//! Unpacking of gzip (RFC 1952) within limits: a few bytes can say that they are gigabytes.

use std::io::{self, Read as _};

use flate2::bufread::MultiGzDecoder;
use stella_api::MAX_BODY;

use crate::error::{FormatError, Reason};

/// How many times its size anything may unpack to. FIRST's tables come to about six times.
const RATIO: u64 = 100;
/// What is unpacked whatever the ratio.
const SMALL: u64 = 1024 * 1024;

/// Tells by the magic bytes.
pub(crate) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// All that the members hold, one after the other.
pub(crate) fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, FormatError> {
    let limit = (bytes.len() as u64)
        .saturating_mul(RATIO)
        .clamp(SMALL, MAX_BODY);
    let mut unpacked = Vec::new();
    let mut read = MultiGzDecoder::new(bytes).take(limit + 1);
    read.read_to_end(&mut unpacked)
        .map_err(|error| broken(&error))?;
    if unpacked.len() as u64 > limit {
        let packed = bytes.len();
        let message = format!(
            "{packed} bytes of gzip unpack to more than {limit}: at most {MAX_BODY}, and \
             {RATIO} times their size"
        );
        return Err(FormatError::at_line(Reason::Size, 1, message));
    }
    Ok(unpacked)
}

fn broken(error: &io::Error) -> FormatError {
    let message = format!("gzip that cannot be unpacked: {error}");
    FormatError::at_line(Reason::Malformed, 1, message)
}

#[cfg(test)]
pub(crate) fn packed(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer
        .write_all(bytes)
        .and_then(|()| writer.finish())
        .unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn members_follow_one_another() {
        let (a, b) = (packed(b"one,"), packed(b"two"));
        assert!(is(&a) && !is(b"one"));
        assert_eq!(unpacked(&[a, b].concat()).unwrap(), b"one,two");
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        let refused = |bytes: &[u8]| {
            let error = unpacked(bytes).unwrap_err();
            assert!(error.line == 1 && !error.message.is_empty());
            error.reason.code()
        };
        let zeros = vec![0; SMALL as usize];
        assert_eq!(unpacked(&packed(&zeros)).unwrap().len(), zeros.len());
        assert_eq!(
            refused(&packed(&[&zeros[..], b"0"].concat())),
            "ERR_AOC_010"
        );
    }

    #[test]
    fn what_is_broken_is_malformed() {
        let whole = packed(b"cve,epss,percentile\n");
        for cut in 2..whole.len() {
            assert_eq!(
                unpacked(&whole[..cut]).unwrap_err().reason,
                Reason::Malformed
            );
        }
        let mut wrong = whole.clone();
        let checksum = wrong.len() - 8;
        wrong[checksum] ^= 1;
        assert_eq!(unpacked(&wrong).unwrap_err().reason, Reason::Malformed);
        let behind = [&whole[..], b"PK\x03\x04"].concat();
        assert_eq!(unpacked(&behind).unwrap_err().reason, Reason::Malformed);
    }
}
