//! The dates of zip: local times without a zone, in steps of two seconds, from 1980 on. They are taken for UTC.

use crate::calendar::civil::{date_of_days, days_of_date};

const DAY: i64 = 86_400;

/// Turns a date and a time into seconds since 1970; zero for what is no date.
pub(super) fn from_dos(date: u16, time: u16) -> i64 {
    let (year, month, day) = (1980 + i64::from(date >> 9), u32::from(date >> 5 & 15), i64::from(date & 31));
    if !(1..=12).contains(&month) || day == 0 {
        return 0;
    }
    let days = days_of_date(year, month, day);
    days * DAY + i64::from(time >> 11) * 3600 + i64::from(time >> 5 & 63) * 60 + i64::from(time & 31) * 2
}

/// Turns seconds since 1970 into a date and a time; 1980 for what is earlier, and its end for what is later than 2107.
pub(super) fn to_dos(seconds: i64) -> (u16, u16) {
    let (year, month, day) = date_of_days(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY);
    if year < 1980 {
        return (1 << 5 | 1, 0);
    } else if year > 2107 {
        return (127 << 9 | 12 << 5 | 31, 0);
    }
    let date = (year - 1980) << 9 | i64::from(month << 5 | day);
    let time = ((second / 3600) << 11) | ((second / 60 % 60) << 5) | (second % 60 / 2);
    (u16::try_from(date).unwrap_or_default(), u16::try_from(time).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_there_and_back() {
        for seconds in [315_532_800, 951_782_400, 951_868_800, 1_700_000_000, 4_102_444_798] {
            let (date, time) = to_dos(seconds);
            assert_eq!(from_dos(date, time), seconds);
        }
        assert_eq!(to_dos(784_111_777), (7526, 17_970));
        assert_eq!(to_dos(0), (33, 0));
        assert_eq!(from_dos(0, 0), 0);
    }
}
