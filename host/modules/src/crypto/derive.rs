//! Keys from passwords: slow on purpose, hence bounded and beside the workers.

use hmac::{Hmac, KeyInit, Mac};
use moonlet_runtime::{Answer, Args, Error, Fault, ModuleCall, Value};
use sha2::{Sha256, Sha512};

use crate::fail::{internal, invalid};
use crate::heavy::{self, Canceled};

/// The most rounds that may be asked for.
const MAX_ITERATIONS: i64 = 10_000_000;
/// The longest key.
const MAX_KEY: i64 = 1_024;
/// Rounds that are done in the caller's own step: a millisecond or two.
const QUICK: u64 = 2_000;
/// Rounds between two looks at whether anybody still waits.
const GLANCE: u32 = 4_096;

/// `pbkdf2(password, salt, iterations, key_length[, hash])`.
pub(super) fn pbkdf2(call: &ModuleCall<'_>, args: &Args<'_>) -> Result<Answer, Fault> {
    let (password, salt) = (args.bytes(1)?.to_vec(), args.bytes(2)?.to_vec());
    let (iterations, length) = (args.integer(3)?, args.integer(4)?);
    let hash = args.opt_text(5)?.unwrap_or("sha256");
    let refuse = |message: String| Err(Fault::from(invalid(message)));
    if password.is_empty() || salt.is_empty() {
        return refuse("password and salt must not be empty".to_owned());
    }
    if !(1..=MAX_ITERATIONS).contains(&iterations) {
        return refuse(format!("the number of iterations is {iterations}; it must be from 1 to {MAX_ITERATIONS}"));
    }
    if !(1..=MAX_KEY).contains(&length) {
        return refuse(format!("the key length is {length}; it must be from 1 to {MAX_KEY}"));
    }
    let (size, derive): (u64, Derive) = match hash {
        "sha256" => (32, derive::<Hmac<Sha256>>),
        "sha512" => (64, derive::<Hmac<Sha512>>),
        other => return refuse(format!("the hash function `{other}` is not supported; use `sha256` or `sha512`")),
    };
    let (iterations, length) = (u32::try_from(iterations).unwrap_or(1), usize::try_from(length).unwrap_or(1));
    let work = Work { password, salt, iterations, length };
    let blocks = (length as u64).div_ceil(size);
    if u64::from(iterations) * blocks <= QUICK {
        return Answer::one(Value::Binary(derive(&work, &Canceled::default())?));
    }
    heavy::run(call, move |canceled| Ok(vec![Value::Binary(derive(&work, canceled)?)]))
}

type Derive = fn(&Work, &Canceled) -> Result<Vec<u8>, Error>;

struct Work {
    password: Vec<u8>,
    salt: Vec<u8>,
    iterations: u32,
    length: usize,
}

/// PBKDF2 as in RFC 8018, in a way that can be given up.
fn derive<M: Mac + KeyInit + Clone>(work: &Work, canceled: &Canceled) -> Result<Vec<u8>, Error> {
    let keyed = <M as KeyInit>::new_from_slice(&work.password).map_err(|_| internal("the password does not fit"))?;
    let mut key = Vec::with_capacity(work.length + 64);
    let mut block: u32 = 0;
    while key.len() < work.length {
        block += 1;
        let mut mac = keyed.clone();
        mac.update(&work.salt);
        mac.update(&block.to_be_bytes());
        let mut last = mac.finalize().into_bytes();
        let mut sum = last.clone();
        for round in 1..work.iterations {
            if round % GLANCE == 0 && canceled.is_set() {
                return Err(Error::new("Canceled", "nobody waits for the key any more"));
            }
            let mut mac = keyed.clone();
            mac.update(&last);
            last = mac.finalize().into_bytes();
            for (sum, byte) in sum.iter_mut().zip(&last) {
                *sum ^= byte;
            }
        }
        key.extend_from_slice(&sum);
    }
    key.truncate(work.length);
    Ok(key)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::super::hex;
    use super::*;

    #[test]
    fn keys_are_those_of_the_standard() {
        let work = |iterations, length| Work { password: b"password".to_vec(), salt: b"salt".to_vec(), iterations, length };
        let key = derive::<Hmac<Sha256>>(&work(2, 32), &Canceled::default()).unwrap();
        assert_eq!(hex(&key), "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43");
        let key = derive::<Hmac<Sha512>>(&work(1, 64), &Canceled::default()).unwrap();
        assert!(hex(&key).starts_with("867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252"));
        let long = derive::<Hmac<Sha256>>(&work(2, 50), &Canceled::default()).unwrap();
        assert_eq!(long.len(), 50);
    }
}
