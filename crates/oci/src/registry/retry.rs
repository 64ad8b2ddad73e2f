//! When a failed request is sent again, and after how long.

use std::time::Duration;

use super::RegistryError;

/// How often and how patiently a request is repeated.
///
/// Waits double from one failure to the next, and a random part is taken off so that many clients
/// of a registry that comes back do not all knock at once.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// How often a request is sent in all; at least 1.
    pub attempts: u32,
    /// The wait after the first failure.
    pub first_delay: Duration,
    /// The longest wait, also where the registry itself asks for more.
    pub longest_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 5, first_delay: Duration::from_millis(250), longest_delay: Duration::from_secs(30) }
    }
}

/// A failed request, and what may help.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: RegistryError,
    pub(super) remedy: Remedy,
}

/// What may help after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Nothing: the answer will not change.
    None,
    /// Time; at least this much if the registry says so.
    Wait(Option<Duration>),
    /// A new token: the old one has expired or names too few scopes.
    SignIn,
}

impl Failure {
    pub(super) fn lasting(error: RegistryError) -> Self {
        Self { error, remedy: Remedy::None }
    }

    pub(super) fn passing(error: RegistryError) -> Self {
        Self { error, remedy: Remedy::Wait(None) }
    }
}

/// The failures of one request so far.
#[derive(Debug)]
pub(super) struct Retry {
    policy: RetryPolicy,
    failures: u32,
    signed_in_again: bool,
}

impl Retry {
    pub(super) fn new(policy: RetryPolicy) -> Self {
        Self { policy, failures: 0, signed_in_again: false }
    }

    /// Starts to count again, after the request got on well for a while.
    pub(super) fn forget_failures(&mut self) {
        self.failures = 0;
    }

    /// Whether signing in again was not tried yet; from now on it was.
    pub(super) fn may_sign_in_again(&mut self) -> bool {
        !std::mem::replace(&mut self.signed_in_again, true)
    }

    /// Waits until the request should be sent again, or gives the error back when it should not.
    pub(super) async fn wait(&mut self, failure: Failure) -> Result<(), RegistryError> {
        let Remedy::Wait(asked) = failure.remedy else {
            return Err(failure.error);
        };
        self.failures += 1;
        if self.failures >= self.policy.attempts {
            return Err(failure.error);
        }
        let delay = self.delay(asked);
        tracing::debug!(?delay, error = %failure.error, "sending a registry request again");
        tokio::time::sleep(delay).await;
        Ok(())
    }

    fn delay(&self, asked: Option<Duration>) -> Duration {
        let doublings = (self.failures - 1).min(16);
        let backoff = self.policy.first_delay.saturating_mul(1 << doublings);
        let shortened = backoff.min(self.policy.longest_delay).mul_f64(0.5 + fastrand::f64() / 2.0);
        asked.unwrap_or_default().max(shortened).min(self.policy.longest_delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(failures: u32) -> Retry {
        let policy = RetryPolicy {
            attempts: 5,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(6),
        };
        Retry { policy, failures, signed_in_again: false }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        for (failures, shortest, longest) in [(1, 500, 1000), (3, 2000, 4000), (30, 3000, 6000)] {
            let delay = retry(failures).delay(None).as_millis();
            assert!((shortest..=longest).contains(&delay), "{failures}: {delay}");
        }
    }

    #[test]
    fn registry_may_ask_for_more_within_reason() {
        assert_eq!(retry(1).delay(Some(Duration::from_secs(4))), Duration::from_secs(4));
        assert_eq!(retry(1).delay(Some(Duration::from_hours(1))), Duration::from_secs(6));
    }
}
