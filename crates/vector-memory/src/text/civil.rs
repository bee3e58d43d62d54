//! Days of the calendar as numbers of days since 1970-01-01.

/// The day number of a date of the Gregorian calendar, `None` where there is no such date.
pub(super) fn day_number(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || day < 1 || day > month_start(year, month + 1) - month_start(year, month)
    {
        return None;
    }
    Some(month_start(year, month) + day - 1)
}

/// The day number of the first of a month; month 13 is January of the next year, 0 December of the last.
pub(super) fn month_start(year: i64, month: i64) -> i64 {
    let months = year * 12 + month - 1;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let leap_days = |year: i64| year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let before_year = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    let leap_day = i64::from(month > 1 && leap(year));
    before_year + DAYS_BEFORE[month as usize] + leap_day
}

/// Year and month of a day number.
pub(super) fn year_and_month(day: i64) -> (i64, i64) {
    // Four hundred years have 146,097 days; a year less than that says is never too late.
    let mut year = 1969 + (day * 400).div_euclid(146_097);
    while month_start(year + 1, 1) <= day {
        year += 1;
    }
    let month = (1..=12).rev().find(|&month| month_start(year, month) <= day);
    (year, month.unwrap_or(1))
}

const DAYS_BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_day_numbers_agree() {
        for (date, day) in [
            ((1970, 1, 1), 0),
            ((1969, 12, 31), -1),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((2023, 5, 8), 19_485),
            ((2100, 3, 1), 47_541),
        ] {
            assert_eq!(day_number(date.0, date.1, date.2), Some(day), "{date:?}");
            assert_eq!(year_and_month(day), (date.0, date.1));
        }
        assert_eq!(day_number(2023, 2, 29), None);
        assert_eq!(day_number(2023, 13, 1), None);
        for day in (-800_000..800_000).step_by(17) {
            let (year, month) = year_and_month(day);
            assert!(month_start(year, month) <= day && day < month_start(year, month + 1));
        }
    }
}
