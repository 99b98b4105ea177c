package normalize_test

import (
	"fmt"

	"github.com/unsilo/unsilo/transforms/normalize"
)

func Example() {
	email, _ := normalize.Func(normalize.AppendEmail).Of(" Anna.Virtanen+news@GoogleMail.com ")
	phone, _ := normalize.Phone("FI").Of("(040) 123 4567")
	name, _ := normalize.Func(normalize.AppendName).Of("Virtanen, Dr. Änna")
	company, _ := normalize.Func(normalize.AppendCompany).Of("Müller & Söhne GmbH & Co. KG")
	_, usable := normalize.Phone("FI").Of("000-000")
	fmt.Println(email, phone, name, company, usable)
	// Output: annavirtanen@gmail.com +358401234567 anna virtanen muller sohne false
}

func ExampleSplitName() {
	name, _ := normalize.SplitName("Prof. Ludwig van Beethoven Jr.")
	fmt.Printf("%+v\n", name)
	// Output: {Given:ludwig Middle: Family:van beethoven Generation:jr}
}
