//! The dates of zip: local times without a zone, in steps of two seconds, from 1980 on. They are taken for UTC.

const DAY: i64 = 86_400;

/// Turns a date and a time into seconds since 1970; zero for what is no date.
pub(super) fn from_dos(date: u16, time: u16) -> i64 {
    let (year, month, day) = (1980 + i64::from(date >> 9), i64::from(date >> 5 & 15), i64::from(date & 31));
    if !(1..=12).contains(&month) || day == 0 {
        return 0;
    }
    // Days of the Gregorian calendar, counted in years that begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    days * DAY + i64::from(time >> 11) * 3600 + i64::from(time >> 5 & 63) * 60 + i64::from(time & 31) * 2
}

/// Turns seconds since 1970 into a date and a time; 1980 for what is earlier, and its end for what is later than 2107.
pub(super) fn to_dos(seconds: i64) -> (u16, u16) {
    let days = seconds.div_euclid(DAY) + 719_468;
    let second = seconds.rem_euclid(DAY);
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let of_era_year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_era_year + of_era_year / 4 - of_era_year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = of_era_year + era * 400 + i64::from(month <= 2);
    if year < 1980 {
        return (1 << 5 | 1, 0);
    } else if year > 2107 {
        return (127 << 9 | 12 << 5 | 31, 0);
    }
    let date = (year - 1980) << 9 | month << 5 | day;
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
