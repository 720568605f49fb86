//! The proleptic Gregorian calendar: seconds since 1970 to year, month, day and back.
//!
//! Pure arithmetic without zones. Callers keep components within `COMPONENT_LIMIT`, so nothing here overflows.

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// Largest magnitude of a date component that a program may pass. A year of that size is far outside what any layout
/// can print, and every product below stays within 64 bits.
pub(crate) const COMPONENT_LIMIT: i64 = 1 << 32;

/// Seconds from the zero time (January 1 of year 1, UTC) to 1970.
pub(crate) const ZERO_TO_UNIX: i64 = 62_135_596_800;

/// A moment taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: u32,
    /// 1 to 31.
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
    /// 0 is Sunday.
    pub(crate) weekday: u32,
    /// 1 to 366.
    pub(crate) year_day: u32,
}

impl Civil {
    /// Takes seconds since 1970 apart, as seen in UTC.
    pub(crate) fn from_seconds(seconds: i64) -> Civil {
        let days = seconds.div_euclid(DAY);
        let rest = seconds.rem_euclid(DAY) as u32;
        let (year, month, day) = date_of_days(days);
        Civil {
            year,
            month,
            day,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            weekday: (days.rem_euclid(7) as u32 + 4) % 7,
            year_day: (days - days_of_date(year, 1, 1)) as u32 + 1,
        }
    }

    /// ISO 8601 year and week; weeks start on Monday and the first one holds the year's first Thursday.
    pub(crate) fn iso_week(&self) -> (i64, u32) {
        // The Thursday of this week decides the year.
        let monday_based = (self.weekday + 6) % 7;
        let thursday = days_of_date(self.year, self.month, i64::from(self.day)) + 3 - i64::from(monday_based);
        let (year, _, _) = date_of_days(thursday);
        let week = (thursday - days_of_date(year, 1, 1)) / 7 + 1;
        (year, week as u32)
    }
}

/// Days since 1970 of a date; the day may lie outside its month.
pub(crate) fn days_of_date(year: i64, month: u32, day: i64) -> i64 {
    // Years start in March here, so that the leap day comes last.
    let shifted = year - i64::from(month <= 2);
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month_from_march = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468 + day - 1
}

/// Year, month and day of days since 1970.
pub(crate) fn date_of_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month as u32, day as u32)
}

/// Seconds since 1970 of components that may lie outside their usual range (month 13 is January of the next year).
/// None when a component exceeds `COMPONENT_LIMIT`.
pub(crate) fn seconds_of(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Option<i64> {
    let within = |value: i64| (-COMPONENT_LIMIT..=COMPONENT_LIMIT).contains(&value);
    if ![year, month, day, hour, minute, second].into_iter().all(within) {
        return None;
    }
    let months = month - 1;
    let year = year + months.div_euclid(12);
    let month = months.rem_euclid(12) as u32 + 1;
    Some(days_of_date(year, month, day) * DAY + hour * 3600 + minute * 60 + second)
}

/// Whether a year has 366 days.
pub(crate) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month.
pub(crate) fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn known_moments_come_apart() {
        let civil = Civil::from_seconds(1_703_862_245);
        assert_eq!((civil.year, civil.month, civil.day), (2023, 12, 29));
        assert_eq!((civil.hour, civil.minute, civil.second), (15, 4, 5));
        assert_eq!((civil.weekday, civil.year_day), (5, 363));
        let zero = Civil::from_seconds(-ZERO_TO_UNIX);
        assert_eq!((zero.year, zero.month, zero.day, zero.weekday, zero.year_day), (1, 1, 1, 1, 1));
    }

    #[test]
    fn every_day_of_eight_centuries_survives_a_round_trip() {
        for days in -300_000..300_000 {
            let (year, month, day) = date_of_days(days);
            assert_eq!(days_of_date(year, month, i64::from(day)), days);
            assert!(day >= 1 && day <= days_in_month(year, month));
        }
    }

    #[test]
    fn components_outside_their_range_carry_over() {
        assert_eq!(seconds_of(2024, 13, 1, 0, 0, 0), seconds_of(2025, 1, 1, 0, 0, 0));
        assert_eq!(seconds_of(2024, 3, 0, 24, 60, 60), seconds_of(2024, 3, 1, 1, 1, 0));
        assert_eq!(seconds_of(i64::MAX, 1, 1, 0, 0, 0), None);
        assert!(seconds_of(COMPONENT_LIMIT, COMPONENT_LIMIT, COMPONENT_LIMIT, 0, 0, 0).is_some());
    }

    #[test]
    fn iso_weeks_at_the_turn_of_the_year() {
        let week = |year, month, day| Civil::from_seconds(seconds_of(year, month, day, 0, 0, 0).unwrap()).iso_week();
        assert_eq!(week(2024, 6, 15), (2024, 24));
        assert_eq!(week(2021, 1, 3), (2020, 53));
        assert_eq!(week(2024, 12, 30), (2025, 1));
    }
}
