package population

// country holds what is typical of a country. All lists are common words of its
// language; most family names and streets are put together from parts.
type country struct {
	code, dial      string
	female, male    []string
	nicknames       map[string]string
	families        []string
	roots, endings  []string
	cities          []city
	streets         []string
	streetEnds      []string
	numberFirst     bool
	legalForms      []string
	trades          []string
	privateDomains  []string
	mailbox, office string
}

type city struct{ name, postcode string }

func countries() []country { return []country{finland(), germany(), britain()} }

func finland() country {
	return country{
		code: "FI", dial: "358",
		female: []string{"Aino", "Päivi", "Hanna", "Kaisa", "Liisa", "Johanna", "Anneli", "Eeva", "Sanna", "Tiina",
			"Helmi", "Ritva", "Outi", "Minna", "Kirsi", "Marjatta", "Elina", "Katariina", "Noora", "Venla", "Emmi",
			"Pirkko", "Satu", "Heidi", "Iida", "Sofia", "Riikka", "Ulla", "Marika", "Jenni", "Anna", "Maria"},
		male: []string{"Matti", "Jukka", "Pekka", "Väinö", "Antti", "Mikko", "Timo", "Juha", "Heikki", "Kari", "Eero",
			"Ville", "Lauri", "Jyrki", "Olli", "Sami", "Tuomas", "Petri", "Janne", "Esa", "Arttu", "Onni", "Hannu",
			"Jari", "Markku", "Ilkka", "Tapio", "Niilo", "Aleksi", "Oskari", "Yrjö", "Seppo"},
		nicknames: map[string]string{"Johanna": "Hanna", "Katariina": "Kati", "Aleksi": "Ale", "Tuomas": "Tume",
			"Marjatta": "Marja", "Anneli": "Anne", "Antti": "Ana", "Lauri": "Late", "Oskari": "Osku", "Johannes": "Jussi",
			"Markku": "Make", "Hannu": "Hanski", "Elina": "Elli", "Heikki": "Hessu", "Jenni": "Jenna"},
		families: []string{"Korhonen", "Virtanen", "Mäkinen", "Nieminen", "Mäkelä", "Hämäläinen", "Laine", "Heikkinen",
			"Koskinen", "Järvinen", "Lehtonen", "Lehtinen", "Saarinen", "Salminen", "Heinonen", "Niemi", "Heikkilä",
			"Kinnunen", "Salonen", "Turunen", "Laitinen", "Tuominen", "Rantanen", "Karjalainen", "Jokinen", "Öhman"},
		roots: []string{"Kallio", "Koski", "Lahti", "Ranta", "Saari", "Vuori", "Joki", "Harju", "Pelto", "Suo", "Lampi",
			"Kivi", "Metsä", "Kangas", "Niitty", "Hieta", "Aho", "Salo", "Mylly", "Haka", "Leppä", "Kuusi", "Haapa",
			"Kataja", "Pihlaja", "Lehti", "Hirvi", "Karhu", "Kurki", "Hauki"},
		endings: []string{"nen", "la", "mäki", "maa", "niemi", "vaara", "lahti", "puro", "järvi", "korpi"},
		cities: []city{{"Helsinki", "00"}, {"Espoo", "02"}, {"Tampere", "33"}, {"Turku", "20"}, {"Oulu", "90"},
			{"Jyväskylä", "40"}, {"Kuopio", "70"}, {"Lahti", "15"}, {"Pori", "28"}, {"Hämeenlinna", "13"}},
		streets: []string{"Koivu", "Kuusi", "Mänty", "Puisto", "Ranta", "Kirkko", "Koulu", "Mylly", "Asema", "Metsä",
			"Niitty", "Harju", "Lähde", "Pelto", "Tammi", "Vaahtera", "Kivi", "Satama", "Tehtaan", "Järvi"},
		streetEnds: []string{"katu", "tie", "polku", "kuja"},
		legalForms: []string{"Oy", "Oy", "Oyj", "Ky"},
		trades: []string{"Rakennus", "Huolto", "Logistiikka", "Sähkö", "Konepaja", "Leipomo", "Tekniikka", "Kaluste",
			"Kuljetus", "Siivous", "Optiikka", "Paino"},
		privateDomains: []string{"posti.example.com", "mail.example.com", "kotimail.example.net", "example.org"},
		mailbox:        "perhe", office: "info",
	}
}

func germany() country {
	return country{
		code: "DE", dial: "49",
		female: []string{"Anna", "Jürgine", "Käthe", "Sabine", "Monika", "Petra", "Ursula", "Claudia", "Susanne",
			"Julia", "Katharina", "Lena", "Birgit", "Heike", "Franziska", "Elisabeth", "Renate", "Bärbel", "Gisela",
			"Nicole", "Stefanie", "Christine", "Martina", "Andrea", "Leonie", "Mia", "Emilia", "Charlotte", "Ingrid",
			"Silke", "Dörte", "Anja"},
		male: []string{"Jürgen", "Thomas", "Michael", "Andreas", "Wolfgang", "Klaus", "Günther", "Stefan", "Peter",
			"Jörg", "Matthias", "Bernd", "Uwe", "Sebastian", "Maximilian", "Lukas", "Felix", "Jonas", "Paul", "Götz",
			"Rüdiger", "Hans", "Dieter", "Manfred", "Frank", "Tobias", "Alexander", "Moritz", "Emil", "Karl",
			"Friedrich", "Sören"},
		nicknames: map[string]string{"Katharina": "Kathi", "Elisabeth": "Lisa", "Franziska": "Franzi", "Stefanie": "Steffi",
			"Maximilian": "Max", "Sebastian": "Basti", "Alexander": "Alex", "Michael": "Michi", "Andreas": "Andi",
			"Matthias": "Matze", "Wolfgang": "Wolf", "Friedrich": "Fritz", "Tobias": "Tobi", "Charlotte": "Lotte",
			"Susanne": "Susi", "Christine": "Tine"},
		families: []string{"Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Meyer", "Wagner", "Becker", "Schulz",
			"Hoffmann", "Schäfer", "Koch", "Bauer", "Richter", "Klein", "Wolf", "Schröder", "Neumann", "Schwarz",
			"Zimmermann", "Braun", "Krüger", "Hofmann", "Lange", "Jäger", "Groß"},
		roots: []string{"Stein", "Berg", "Wald", "Linden", "Rosen", "Eich", "Buch", "Hasel", "Birken", "Winter",
			"Sommer", "Falken", "Adler", "Gold", "Silber", "Eisen", "Kupfer", "Mühl", "Brunn", "Feld", "Wiesen",
			"Acker", "Grün", "Rot", "Weiß", "Hirsch", "Reh", "Fuchs", "Dorn", "Kirsch"},
		endings: []string{"mann", "bach", "hofer", "ner", "berger", "maier", "thal", "kamp", "brink", "hardt"},
		cities: []city{{"Berlin", "10"}, {"Hamburg", "20"}, {"München", "80"}, {"Köln", "50"}, {"Frankfurt", "60"},
			{"Stuttgart", "70"}, {"Düsseldorf", "40"}, {"Leipzig", "04"}, {"Nürnberg", "90"}, {"Göttingen", "37"}},
		streets: []string{"Linden", "Garten", "Bahnhof", "Schul", "Kirch", "Berg", "Haupt", "Wald", "Mühlen", "Ring",
			"Dorf", "Wiesen", "Rosen", "Birken", "Schloß", "Brücken", "Feld", "Brunnen", "Markt", "Ahorn"},
		streetEnds: []string{"straße", "weg", "allee", "gasse"},
		legalForms: []string{"GmbH", "GmbH", "AG", "GmbH & Co. KG", "e.K."},
		trades: []string{"Maschinenbau", "Logistik", "Elektro", "Bäckerei", "Möbel", "Druckerei", "Optik", "Bau",
			"Haustechnik", "Spedition", "Feinkost", "Werkzeug"},
		privateDomains: []string{"post.example.com", "mail.example.com", "webmail.example.net", "example.org"},
		mailbox:        "familie", office: "kontakt",
	}
}

func britain() country {
	return country{
		code: "GB", dial: "44", numberFirst: true,
		female: []string{"Olivia", "Margaret", "Elizabeth", "Susan", "Catherine", "Emma", "Charlotte", "Jennifer",
			"Patricia", "Victoria", "Rebecca", "Hannah", "Alice", "Grace", "Sophie", "Zoë", "Chloë", "Emily", "Jessica",
			"Samantha", "Barbara", "Helen", "Karen", "Nicola", "Lucy", "Amelia", "Isla", "Freya", "Deborah", "Janet",
			"Siân", "Ruth"},
		male: []string{"William", "Robert", "James", "Richard", "Thomas", "Edward", "Charles", "Michael", "Andrew",
			"Christopher", "Daniel", "Matthew", "Anthony", "Stephen", "Benjamin", "Samuel", "Joseph", "George", "Harry",
			"Oliver", "Jack", "Nicholas", "Philip", "Gareth", "Colin", "Graham", "Keith", "Simon", "Timothy", "David",
			"Seán", "Hugh"},
		nicknames: map[string]string{"William": "Bill", "Robert": "Bob", "Richard": "Dick", "Edward": "Ted",
			"Elizabeth": "Liz", "Margaret": "Maggie", "Catherine": "Kate", "Jennifer": "Jenny", "Patricia": "Pat",
			"Victoria": "Vicky", "Rebecca": "Becky", "Michael": "Mike", "Andrew": "Andy", "Christopher": "Chris",
			"Daniel": "Dan", "Matthew": "Matt", "Anthony": "Tony", "Stephen": "Steve", "Benjamin": "Ben",
			"Samuel": "Sam", "Joseph": "Joe", "Nicholas": "Nick", "Timothy": "Tim", "Samantha": "Sam", "Charles": "Charlie"},
		families: []string{"Smith", "Jones", "Taylor", "Brown", "Williams", "Wilson", "Johnson", "Davies", "Robinson",
			"Wright", "Thompson", "Evans", "Walker", "White", "Roberts", "Green", "Hall", "Wood", "Jackson", "Clarke",
			"O'Brien", "Patel", "Hughes", "Edwards", "Khan", "Turner"},
		roots: []string{"Ash", "Black", "Oak", "Hart", "Win", "Thorn", "Wether", "Hollo", "Brad", "Stan", "Whit", "Langs",
			"Rad", "Kings", "Crom", "Birch", "Hazel", "Elm", "Fair", "Sand", "Stock", "Brook", "Mill", "Pem", "Hal",
			"Ether", "Lock", "Marl", "Nor", "Wood"},
		endings: []string{"ton", "well", "ford", "ley", "by", "worth", "field", "combe", "ham", "bury"},
		cities: []city{{"London", "N"}, {"Manchester", "M"}, {"Leeds", "LS"}, {"Bristol", "BS"}, {"Sheffield", "S"},
			{"Cardiff", "CF"}, {"Norwich", "NR"}, {"York", "YO"}, {"Exeter", "EX"}, {"Edinburgh", "EH"}},
		streets: []string{"Church", "Station", "Park", "Mill", "Victoria", "Albert", "Queen", "King", "School", "Green",
			"Chapel", "Orchard", "Meadow", "Bridge", "Manor", "Grove", "Spring", "North", "South", "Castle"},
		streetEnds: []string{" Road", " Street", " Lane", " Close"},
		legalForms: []string{"Ltd", "Ltd", "PLC", "LLP"},
		trades: []string{"Engineering", "Logistics", "Electrical", "Bakery", "Furniture", "Printing", "Optics", "Builders",
			"Plumbing", "Haulage", "Foods", "Tools"},
		privateDomains: []string{"mail.example.com", "inbox.example.com", "webmail.example.net", "example.org"},
		mailbox:        "family", office: "office",
	}
}
