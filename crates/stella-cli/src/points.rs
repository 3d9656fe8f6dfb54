//! Scores as people read them: 0 to 100, from the basis points that are computed with.

use stella_api::score::{Band, Bucket, ScoreResult};

use crate::label::{filled, label};
use crate::table::Cell;

/// Basis points as points, with as many decimals as they need.
pub(crate) fn points(bps: i64) -> String {
    let sign = if bps < 0 { "-" } else { "" };
    let (whole, rest) = (bps.unsigned_abs() / 100, bps.unsigned_abs() % 100);
    match rest {
        0 => format!("{sign}{whole}"),
        _ if rest.is_multiple_of(10) => format!("{sign}{whole}.{}", rest / 10),
        _ => format!("{sign}{whole}.{rest:02}"),
    }
}

/// The same with its sign, for what is added; nothing added has none.
pub(crate) fn signed(bps: i64) -> String {
    let sign = if bps > 0 { "+" } else { "" };
    format!("{sign}{}", points(bps))
}

/// The score; where there is none and not every one is possible, the range that it lies in.
pub(crate) fn score(result: &ScoreResult) -> Cell {
    let whole_range = result.score_low_bps == 0 && result.score_high_bps == 10_000;
    match result.score_bps {
        Some(bps) => Cell::new(points(bps.into())),
        None if whole_range => Cell::absent(),
        None => Cell::new(range(result)),
    }
}

/// The range that the score lies in whatever is missing.
pub(crate) fn range(result: &ScoreResult) -> String {
    let (low, high) = (result.score_low_bps, result.score_high_bps);
    if low == high {
        return points(low.into());
    }
    filled(
        "score-range",
        &[
            ("low", points(low.into()).into()),
            ("high", points(high.into()).into()),
        ],
    )
}

/// The word of a band.
pub(crate) fn band(band: Band) -> &'static str {
    match band {
        Band::Critical => "Critical",
        Band::High => "High",
        Band::Medium => "Medium",
        Band::Low => "Low",
        Band::Info => "Info",
        Band::Unknown => "Unknown",
    }
}

/// What to do, in words.
pub(crate) fn bucket(bucket: Bucket) -> String {
    label(match bucket {
        Bucket::ActNow => "bucket-act-now",
        Bucket::ScheduleNext => "bucket-schedule-next",
        Bucket::Investigate => "bucket-investigate",
        Bucket::Watchlist => "bucket-watchlist",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basis_points_are_hundredths_of_points() {
        let shown = [0, 9800, 9850, 9855, 5, -800, -5].map(points);
        assert_eq!(shown, ["0", "98", "98.5", "98.55", "0.05", "-8", "-0.05"]);
        assert_eq!([0, 9800, -800].map(signed), ["0", "+98", "-8"]);
    }
}
