//! Wrong passwords cost time: after some of them within a while, the account and the address wait.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Most keys that are remembered; beyond that the oldest go.
const MOST_KEYS: usize = 10_000;

/// Counts wrong passwords by account and by address.
#[derive(Debug)]
pub struct Throttle {
    attempts: u32,
    window: SignedDuration,
    counted: Mutex<HashMap<String, Counted>>,
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    wrong: u32,
    since: Timestamp,
}

impl Throttle {
    /// Lets `attempts` wrong passwords pass within a window of `seconds`.
    pub fn new(attempts: u32, seconds: u64) -> Self {
        Self {
            attempts: attempts.max(1),
            window: SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX / 1000)),
            counted: Mutex::default(),
        }
    }

    /// How many seconds this key has to wait, if it has to.
    pub(crate) fn wait(&self, key: &str, now: Timestamp) -> Option<i64> {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let found = counted.get(key).filter(|counted| counted.wrong >= self.attempts)?;
        let left = self.window - now.duration_since(found.since);
        left.is_positive().then(|| left.as_secs() + 1)
    }

    /// Counts a wrong password.
    pub(crate) fn count(&self, key: String, now: Timestamp) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= MOST_KEYS {
            counted.retain(|_, counted| now.duration_since(counted.since) < self.window);
        }
        if counted.len() >= MOST_KEYS {
            let oldest = counted.iter().min_by_key(|(_, counted)| counted.since).map(|(key, _)| key.clone());
            counted.remove(&oldest.unwrap_or_default());
        }
        let entry = counted.entry(key).or_insert(Counted { wrong: 0, since: now });
        if now.duration_since(entry.since) >= self.window {
            *entry = Counted { wrong: 0, since: now };
        }
        entry.wrong += 1;
    }

    /// Forgets what was counted: the right password came.
    pub(crate) fn forget(&self, key: &str) {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_wrong_ones_wait_until_the_window_is_over() {
        let (throttle, start) = (Throttle::new(3, 60), Timestamp::UNIX_EPOCH);
        let after = |seconds| start + SignedDuration::from_secs(seconds);
        for second in 0..3 {
            assert_eq!(throttle.wait("ann", after(second)), None);
            throttle.count("ann".to_owned(), after(second));
        }
        assert_eq!(throttle.wait("ann", after(10)), Some(51));
        assert_eq!(throttle.wait("bob", after(10)), None);
        assert_eq!(throttle.wait("ann", after(61)), None);
        throttle.count("ann".to_owned(), after(61));
        assert_eq!(throttle.wait("ann", after(62)), None, "a new window has begun");
        throttle.forget("ann");
        assert_eq!(throttle.wait("ann", after(62)), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let throttle = Throttle::new(1, 60);
        for number in 0..MOST_KEYS + 5 {
            let second = i64::try_from(number).unwrap() / 1000;
            throttle.count(number.to_string(), Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second));
        }
        assert_eq!(throttle.counted.lock().unwrap().len(), MOST_KEYS);
    }
}
