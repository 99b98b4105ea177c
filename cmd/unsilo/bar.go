package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

const barWidth = 24

// bar draws the i-th of the values as a bar; negative ones stand left of the axis if any
// value is negative.
func bar(values []float64, i int) string {
	low, high := 0.0, 0.0
	for _, v := range values {
		low, high = math.Min(low, v), math.Max(high, v)
	}
	if high == low {
		return ""
	}
	left := int(math.Round(barWidth * -low / (high - low)))
	n := int(math.Round(barWidth * math.Abs(values[i]) / (high - low)))
	if values[i] < 0 {
		return strings.Repeat(" ", max(left-n, 0)) + strings.Repeat("▒", n) + "│"
	}
	axis := ""
	if low < 0 {
		axis = strings.Repeat(" ", left) + "│"
	}
	return axis + strings.Repeat("█", n)
}

func number(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	case float32:
		return float64(v)
	case string:
		if f, err := strconv.ParseFloat(v, 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
	}
	return 0
}

func percent(part, whole int64) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f %%", 100*float64(part)/float64(whole))
}
