package normalize

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// letters lists the spellings of letters that Unicode does not reduce to a base letter
// and an accent: the letter, then its spelling. Cyrillic follows the tables of machine
// readable passports, Greek follows ISO 843.
const letters = `
ß ss æ ae œ oe ø o đ d ð d þ th ł l ħ h ı i ĸ k ŋ n ſ s ŧ t ƀ b ɓ b ƃ b ɔ o ƈ c ɖ d ɗ d ǝ e ə e ɛ e ƒ f ɠ g ɣ g
ɩ i ɨ i ƙ k ƚ l ɯ m ɲ n ƞ n ɵ o ƥ p ʀ r ʃ sh ƭ t ʈ t ʊ u ʋ v ƴ y ƶ z ʒ zh ȷ j ȼ c ɇ e ɉ j ɍ r ɏ y ǥ g ƿ w
а a б b в v г g ґ g д d е e є ie ж zh з z и i і i к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch
ш sh щ shch ъ - ы y ь - э e ю iu я ia ђ dj ѕ dz ј j љ lj њ nj ћ c џ dz ѣ e ѳ f ѵ i ғ gh қ q ң n ө o ү u ұ u һ h ә a
α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o
ա a բ b գ g դ d ե e զ z է e ը y թ t ժ zh ի i լ l խ kh ծ ts կ k հ h ձ dz ղ gh ճ ch մ m յ y ն n շ sh ո o չ ch պ p
ջ j ռ r ս s վ v տ t ր r ց ts ւ v փ p ք k օ o ֆ f
א a ב b ג g ד d ה h ו v ז z ח h ט t י y ך k כ k ל l ם m מ m ן n נ n ס s ע a ף p פ p ץ ts צ ts ק k ר r ש sh ת t
`

// rareLetters is like letters, for characters beyond foldTable.
const rareLetters = `
ا a أ a إ i آ a ب b ة a ت t ث th ج j ح h خ kh د d ذ dh ر r ز z س s ش sh ص s ض d ط t ظ z ع a غ gh ف f ق q ك k
ل l م m ن n ه h و w ي y ى a ء - ئ y ؤ w پ p چ ch ژ zh گ g ک k ی y
ა a ბ b გ g დ d ე e ვ v ზ z თ t ი i კ k ლ l მ m ნ n ო o პ p ჟ zh რ r ს s ტ t უ u ფ p ქ k ღ gh ყ q შ sh ჩ ch ც ts
ძ dz წ ts ჭ ch ხ kh ჯ j ჰ h ẞ ss ー -
‘ ' ’ ' ‛ ' ′ ' ‚ ' ＇ ' “ " ” " „ " ‟ " ″ " ‹ ' › ' ‐ - ‑ - ‒ - – - — - ― - − - ⁄ / ∕ / 。 .
`

// kana spells Hiragana from U+3041 on; Katakana lies 0x60 above.
const kana = `a a i i u u e e o o ka ga ki gi ku gu ke ge ko go sa za shi ji su zu se ze so zo ta da chi ji - tsu zu te de
to do na ni nu ne no ha ba pa hi bi pi fu bu pu he be pe ho bo po ma mi mu me mo ya ya yu yu yo yo ra ri ru re ro
wa wa i e o n vu ka ke`

// The syllables of Hangul, and the spellings of their three parts by the Revised
// Romanization, without the changes between syllables.
const (
	hangulFirst = 0xac00
	hangulLast  = 0xd7a3
	hangulLead  = "g kk n d tt r m b pp s ss - j jj ch k t p h"
	hangulVowel = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i"
	hangulTail  = "- k k k n n n t l k m l l l p l m p p t t ng t t k t p t"
)

var (
	foldTable  = makeFoldTable()
	rareTable  = pairs(rareLetters)
	kanaTable  = fields(kana)
	leadTable  = fields(hangulLead)
	vowelTable = fields(hangulVowel)
	tailTable  = fields(hangulTail)
)

// makeFoldTable spells every character below U+0600: ASCII, Latin, Greek, Cyrillic,
// Armenian, Hebrew.
func makeFoldTable() [0x600]string {
	known := pairs(letters)
	for accent, plain := range map[rune]string{'´': "'", 'ʼ': "'", 'ʻ': "'", 'ʹ': "'", 'ʽ': "'", '«': `"`, '»': `"`, 'ª': "a", 'º': "o"} {
		known[accent] = plain
	}
	var table [0x600]string
	for r := range rune(len(table)) {
		if r < utf8.RuneSelf {
			table[r] = strings.ToLower(string(r))
			continue
		}
		var b strings.Builder
		if s, ok := known[unicode.ToLower(r)]; ok {
			b.WriteString(s)
		} else {
			for _, part := range norm.NFKD.String(string(r)) {
				part = unicode.ToLower(part)
				switch s, ok := known[part]; {
				case ok:
					b.WriteString(s)
				case part < utf8.RuneSelf:
					b.WriteByte(byte(part))
				default:
					b.Write(appendUndivided(nil, part))
				}
			}
		}
		table[r] = b.String()
	}
	return table
}

// rareSpelling looks a character up that lies beyond foldTable.
func rareSpelling(r rune) (string, bool) {
	if r >= 0x30a1 && r <= 0x30f6 {
		r -= 0x60
	}
	if i := int(r - 0x3041); i >= 0 && i < len(kanaTable) {
		return kanaTable[i], true
	}
	s, ok := rareTable[r]
	return s, ok
}

// appendHangul spells one syllable from its three parts.
func appendHangul(dst []byte, r rune) []byte {
	i := int(r - hangulFirst)
	dst = append(dst, leadTable[i/(21*28)]...)
	dst = append(dst, vowelTable[i/28%21]...)
	return append(dst, tailTable[i%28]...)
}

// pairs reads a list of a character and its spelling; "-" between letters means none.
func pairs(list string) map[rune]string {
	words := strings.Fields(list)
	m := make(map[rune]string, len(words)/2)
	for i := 0; i+1 < len(words); i += 2 {
		r, _ := utf8.DecodeRuneInString(words[i])
		spelling := words[i+1]
		if spelling == "-" && unicode.IsLetter(r) {
			spelling = ""
		}
		m[r] = spelling
	}
	return m
}

// fields splits a list of spellings; "-" means none.
func fields(list string) []string {
	words := strings.Fields(list)
	for i, w := range words {
		if w == "-" {
			words[i] = ""
		}
	}
	return words
}
