package register

import (
	"fmt"
	"time"
)

const dayForm = "2006-01-02"

// DayOf returns the day of a time in UTC.
func DayOf(t time.Time) Day { return Day(t.UTC().Format(dayForm)) }

// ParseDay returns the day that a text names, such as 2027-02-01. A day that no
// calendar has, such as 2027-02-30, is an error.
func ParseDay(text string) (Day, error) {
	if _, err := time.Parse(dayForm, text); err != nil {
		return "", fmt.Errorf("%s is no day", shown(text))
	}
	return Day(text), nil
}

// Time returns the first moment of the day in UTC; false when d is no day.
func (d Day) Time() (time.Time, bool) {
	t, err := time.Parse(dayForm, string(d))
	return t, err == nil
}

// IsDay reports whether d is a day of the calendar; none is not.
func (d Day) IsDay() bool {
	_, is := d.Time()
	return is
}

// Add returns the day so many days later, or earlier when days is negative;
// none when d is no day or the result has no year of four digits.
func (d Day) Add(days int) Day {
	const millennia = 10000 * 366
	t, is := d.Time()
	if !is || days > millennia || days < -millennia {
		return ""
	}
	t = t.AddDate(0, 0, days)
	if t.Year() < 0 || t.Year() > 9999 {
		return ""
	}
	return DayOf(t)
}

// DaysBetween returns how many days b is after a, negative when it is before;
// false when one of them is no day.
func DaysBetween(a, b Day) (int, bool) {
	from, isFrom := a.Time()
	to, isTo := b.Time()
	const secondsOfDay = 24 * 60 * 60
	return int((to.Unix() - from.Unix()) / secondsOfDay), isFrom && isTo
}
