//! The one table of bands and buckets, in basis points of 10,000.

use stella_api::score::{Band, Bucket, UnknownsBand};

/// The most that a score can be, in basis points.
pub const FULL: u32 = 10_000;

/// Lowest score of each band in basis points, from the highest down; below them is `Info`.
pub const BANDS: [(Band, u32); 4] = [
    (Band::Critical, 9_000),
    (Band::High, 7_000),
    (Band::Medium, 4_000),
    (Band::Low, 100),
];

/// Lowest score of each bucket in basis points, from the highest down; below is `Watchlist`.
pub const BUCKETS: [(Bucket, u32); 3] = [
    (Bucket::ActNow, 9_000),
    (Bucket::ScheduleNext, 7_000),
    (Bucket::Investigate, 4_000),
];

/// The band of a score in basis points; `Unknown` where there is none.
#[must_use]
pub fn band(score: Option<u32>) -> Band {
    let Some(score) = score else {
        return Band::Unknown;
    };
    BANDS
        .iter()
        .find(|(_, from)| score >= *from)
        .map_or(Band::Info, |(band, _)| *band)
}

/// The bucket of the upper end of a score in basis points.
#[must_use]
pub fn bucket(high: u32) -> Bucket {
    BUCKETS
        .iter()
        .find(|(_, from)| high >= *from)
        .map_or(Bucket::Watchlist, |(bucket, _)| *bucket)
}

/// The band of what is unknown, from the present share of the weight in basis points.
#[must_use]
pub fn unknowns_band(completeness: u32) -> UnknownsBand {
    match FULL.saturating_sub(completeness) {
        0..=2_000 => UnknownsBand::Complete,
        2_001..=4_000 => UnknownsBand::Adequate,
        4_001..=6_000 => UnknownsBand::Sparse,
        _ => UnknownsBand::Insufficient,
    }
}
