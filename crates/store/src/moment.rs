//! Moments are stored as milliseconds since 1970, in UTC.

use jiff::Timestamp;

pub(crate) fn to_column(moment: Timestamp) -> i64 {
    moment.as_millisecond()
}

/// A number that no clock gives is read as the nearest moment that one can.
pub(crate) fn from_column(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(if milliseconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}
