//! How long a client waits for an answer: `grpc-timeout`.

use super::status;
use axum::http::HeaderMap;
use std::{future::Future, time::Duration};
use tokio::time::{Instant, timeout_at};
use tonic::Status;

/// The header: at most eight digits and a unit.
const HEADER: &str = "grpc-timeout";
const DIGITS_MAX: usize = 8;

/// The moment after which nobody waits any more, if there is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// What the client says; nothing, if that is no time.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let header = headers.get(HEADER).and_then(|header| header.to_str().ok());
        let time = header.and_then(parse);
        Self(time.and_then(|time| Instant::now().checked_add(time)))
    }

    /// Whether it is too late.
    pub(super) fn is_over(self) -> bool {
        self.0.is_some_and(|moment| moment <= Instant::now())
    }

    /// What `work` comes to, unless it is too late before.
    pub(super) async fn meet<T>(
        self,
        work: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Status> {
        match self.0 {
            Some(moment) => {
                timeout_at(moment, work).await.unwrap_or_else(|_| Err(status::too_late()))
            }
            None => work.await,
        }
    }
}

fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > DIGITS_MAX || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 60 * 60)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_unit_and_nothing_else_is_one() {
        let times = [
            ("2H", Duration::from_secs(7200)),
            ("3M", Duration::from_secs(180)),
            ("99999999S", Duration::from_secs(99_999_999)),
            ("10m", Duration::from_millis(10)),
            ("7u", Duration::from_micros(7)),
            ("0n", Duration::ZERO),
        ];
        for (text, time) in times {
            assert_eq!(parse(text), Some(time), "{text}");
        }
        for text in ["", "S", "1", "1s", "-1S", "+1S", "100000000S", "1 S", "1é"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_ends_and_what_has_no_deadline_does_not() {
        let work = async |seconds| {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok(seconds)
        };
        let headers = HeaderMap::from_iter([(
            axum::http::HeaderName::from_static(HEADER),
            axum::http::HeaderValue::from_static("3S"),
        )]);
        let deadline = Deadline::of(&headers);
        assert_eq!(deadline.meet(work(2)).await.ok(), Some(2));
        let late = deadline.meet(work(2)).await.map_err(|status| status.code());
        assert_eq!(late, Err(tonic::Code::DeadlineExceeded));
        assert_eq!(
            Deadline::of(&HeaderMap::new()).meet(work(1_000_000)).await.ok(),
            Some(1_000_000)
        );
    }
}
