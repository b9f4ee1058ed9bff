//! Durations in case files: fixed ones, and those that depend on a setting of the server (clause 8.2).

use std::time::Duration;

/// The longest `within` and `nothing`.
const MAX_DURATION: Duration = Duration::from_secs(3_600);

/// The settings of a server that slow cases need to know. The defaults are those of clause 8.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Seconds that a client has to log in (clause 2.5).
    pub login_deadline: Duration,
    /// The silence before `PING` (clause 6.1).
    pub ping_after: Duration,
    /// The silence after `PING` (clause 6.1).
    pub pong_within: Duration,
    /// The longest stall of one write (clause 6.5).
    pub max_stall: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let [login_deadline, ping_after, pong_within, max_stall] = [120, 60, 3, 10].map(Duration::from_secs);
        Self { login_deadline, ping_after, pong_within, max_stall }
    }
}

/// A duration in a case: a setting of the server, or none, and a fixed time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wait {
    setting: Option<Setting>,
    fixed: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Setting {
    LoginDeadline,
    PingAfter,
    PongWithin,
    MaxStall,
}

impl Wait {
    /// Reads `200ms`, `3s`, `ping-after` or `ping-after+2s`. A fixed time is at most an hour.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (first, rest) = text.split_once('+').map_or((text, None), |(first, rest)| (first, Some(rest)));
        let setting = match first {
            "login-deadline" => Setting::LoginDeadline,
            "ping-after" => Setting::PingAfter,
            "pong-within" => Setting::PongWithin,
            "max-stall" => Setting::MaxStall,
            _ => return Ok(Self { setting: None, fixed: duration(text)? }),
        };
        Ok(Self { setting: Some(setting), fixed: rest.map(duration).transpose()?.unwrap_or_default() })
    }

    /// Whether the duration depends on a setting.
    pub(crate) fn has_setting(self) -> bool {
        self.setting.is_some()
    }

    /// The duration with these settings.
    pub fn resolve(self, settings: &Settings) -> Duration {
        let setting = match self.setting {
            None => Duration::ZERO,
            Some(Setting::LoginDeadline) => settings.login_deadline,
            Some(Setting::PingAfter) => settings.ping_after,
            Some(Setting::PongWithin) => settings.pong_within,
            Some(Setting::MaxStall) => settings.max_stall,
        };
        setting.saturating_add(self.fixed)
    }
}

/// Reads `200ms` or `3s`, at most an hour.
fn duration(text: &str) -> Result<Duration, String> {
    let malformed = || format!("`{text}` is not a duration such as 200ms or 3s, up to an hour");
    let (number, unit): (_, fn(u64) -> Duration) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, Duration::from_millis),
        (None, Some(number)) => (number, Duration::from_secs),
        (None, None) => return Err(malformed()),
    };
    number.parse().ok().map(unit).filter(|time| *time <= MAX_DURATION).ok_or_else(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_may_depend_on_a_setting() {
        let settings = Settings { ping_after: Duration::from_secs(2), ..Settings::default() };
        let resolved = |text: &str| Wait::read(text).map(|wait| wait.resolve(&settings));
        assert_eq!(resolved("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(resolved("ping-after"), Ok(Duration::from_secs(2)));
        assert_eq!(resolved("ping-after+500ms"), Ok(Duration::from_millis(2_500)));
        assert_eq!(resolved("login-deadline"), Ok(Duration::from_secs(120)));
        for text in ["soon", "2m", "ping-after+soon", "3601s", "200ms+1s"] {
            assert!(resolved(text).is_err(), "{text}");
        }
    }
}
