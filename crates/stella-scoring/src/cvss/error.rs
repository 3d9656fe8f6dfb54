//! Why a text is not a CVSS vector, and where.

use std::fmt;

/// The reason a vector is refused; each has a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CvssErrorCode {
    /// Not `CVSS:3.0/`, `CVSS:3.1/` or `CVSS:4.0/` in front, nor a plain v2 vector.
    Version,
    /// A component is not `METRIC:VALUE`, or a parenthesis is not closed.
    Syntax,
    /// Nothing between two slashes.
    EmptyComponent,
    /// The vector ends with a slash.
    TrailingSlash,
    /// Right but for upper and lower case.
    Case,
    /// The version has no such metric.
    UnknownMetric,
    /// The metric has no such value.
    BadValue,
    /// The metric was given before.
    RepeatedMetric,
    /// A v4.0 metric stands after one that it must precede.
    Order,
    /// A base metric is not given.
    MissingMetric,
}

impl CvssErrorCode {
    /// Every code, in the order of declaration.
    pub const ALL: [Self; 10] = [
        Self::Version,
        Self::Syntax,
        Self::EmptyComponent,
        Self::TrailingSlash,
        Self::Case,
        Self::UnknownMetric,
        Self::BadValue,
        Self::RepeatedMetric,
        Self::Order,
        Self::MissingMetric,
    ];

    /// The stable code, such as `CVSS_UNKNOWN_METRIC`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Version => "CVSS_VERSION",
            Self::Syntax => "CVSS_SYNTAX",
            Self::EmptyComponent => "CVSS_EMPTY_COMPONENT",
            Self::TrailingSlash => "CVSS_TRAILING_SLASH",
            Self::Case => "CVSS_CASE",
            Self::UnknownMetric => "CVSS_UNKNOWN_METRIC",
            Self::BadValue => "CVSS_BAD_VALUE",
            Self::RepeatedMetric => "CVSS_REPEATED_METRIC",
            Self::Order => "CVSS_ORDER",
            Self::MissingMetric => "CVSS_MISSING_METRIC",
        }
    }
}

impl fmt::Display for CvssErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Refusal of a vector: the first thing wrong with it, read from the left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code} at byte {offset} of the vector: {}", self.what())]
pub struct CvssError {
    /// What is wrong.
    pub code: CvssErrorCode,
    /// Byte offset of what is wrong, counted from the start of the text; its length where
    /// something is missing.
    pub offset: usize,
    /// The metric concerned as written (at most 16 characters), empty where there is none.
    pub metric: String,
}

impl CvssError {
    pub(super) fn new(code: CvssErrorCode, offset: usize, metric: &str) -> Self {
        Self {
            code,
            offset,
            metric: metric.chars().take(16).collect(),
        }
    }

    fn what(&self) -> String {
        let metric = self.metric.escape_debug();
        match self.code {
            CvssErrorCode::Version => "not a version of CVSS that is known".to_owned(),
            CvssErrorCode::Syntax => "expected METRIC:VALUE".to_owned(),
            CvssErrorCode::EmptyComponent => "nothing between two slashes".to_owned(),
            CvssErrorCode::TrailingSlash => "ends with a slash".to_owned(),
            CvssErrorCode::Case => format!("wrong upper or lower case in {metric}"),
            CvssErrorCode::UnknownMetric => format!("unknown metric {metric}"),
            CvssErrorCode::BadValue => format!("{metric} has no such value"),
            CvssErrorCode::RepeatedMetric => format!("{metric} is given twice"),
            CvssErrorCode::Order => format!("{metric} is out of order"),
            CvssErrorCode::MissingMetric => format!("{metric} is missing"),
        }
    }
}
