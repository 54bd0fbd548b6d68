"""The English tables of the sample: invented people, places and things, and several ways to speak of them."""

from __future__ import annotations

from xlqa.data.sample.templates import (
    Domain,
    Language,
    Phrasings,
    ask,
    dates,
    joined,
    listed,
    named,
    numbers,
    people,
    said,
    several,
)

_STEMS = (
    joined(
        ("Hal", "Tor", "Bel", "Mor", "Fen", "Ril", "Dun", "Var", "Sel", "Gor"),
        ("den", "rel", "wick", "mar", "low", "nor", "dia", "gan", "ster", "vale"),
    ),
    joined(("Kes", "Ul", "Pra", "Zan", "Wim"), ("dor", "bury", "tin", "ley", "sal", "more")),
)
_TOWNS = (
    joined(
        ("Elm", "Stone", "Lake", "Fair", "Bright", "North", "Oak", "Gold", "Wolf", "Sand"),
        ("haven", "mead", "mere", "hollow", "moor", "gate", "fall", "brook"),
    ),
    joined(("Raven", "Thorn", "Copper", "Moss", "Hart", "Apple"), ("ridge", "dale", "cross", "bank")),
)
_WOMEN = (
    ("Alice", "Helen", "Nadia", "Emma", "Laura", "Irene", "Margaret", "Hannah", "Rachel", "Diana", "Sarah", "Judith"),
    ("Edith", "Lydia", "Pamela", "Ingrid", "Rosalind", "Frances"),
)
_MEN = (
    ("Oscar", "Martin", "Walter", "Victor", "Felix", "Daniel", "Robert", "Andrew", "Philip", "George", "Peter", "Adam"),
    ("Thomas", "Arthur", "Leonard", "Gregory", "Edmund", "Stephen"),
)
_FAMILIES = (
    (
        *(
            "Harwick",
            "Pellam",
            "Dorsett",
            "Quillan",
            "Maddern",
            "Tolliver",
            "Brackley",
            "Ostrand",
            "Fenwell",
            "Larkham",
        ),
        *("Wexley", "Corbin", "Ashdown", "Castell", "Ferrant", "Lindmark", "Novak", "Petrov", "Santini", "Moreau"),
        *("Keller", "Brandt", "Halloran", "Winslade", "Okafor", "Tanaka", "Rossi", "Vasquez", "Almeida", "Duval"),
    ),
    ("Garrick", "Penrose", "Thackery", "Lovell", "Stanhope", "Varga", "Lemaire", "Conti", "Osei", "Hagen"),
)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DATE = "{day} {month} {year}"
_MINERALS = tuple(tuple(f"{stem.rstrip('aeio')}ite".lower() for stem in stems) for stems in _STEMS)

_person = people(_WOMEN, _MEN, _FAMILIES)
_town = listed(*_TOWNS)
_early = numbers(1842, 1909, 1)
_late = numbers(1911, 1989, 1)

MUSEUMS = Domain(
    "Museums",
    {
        "s": named([("{} Museum", False), ("{} Gallery", False)], _STEMS),
        **{"architect": _person, "director": _person, "opened": _early, "restored": _late},
        **{"town": _town, "works": numbers(110, 980, 10)},
    },
    facts=(
        said(
            [
                "The [s] was designed by [architect] and opened in [opened].",
                "Inaugurated in [opened], the [s] is the work of the architect [architect].",
                "The architect [architect] designed the [s], which was inaugurated in [opened].",
            ],
            [
                "It was [architect] who drew the plans of the [s], and the public was admitted in [opened].",
                "In [opened] the [s] received its first visitors; its architect was [architect].",
            ],
        ),
        said(
            [
                "The [s] is in the centre of [town] and has a collection of [works] paintings.",
                "A collection of [works] paintings is kept at the [s] in [town].",
                "In [town], visitors find [works] paintings at the [s].",
            ],
            [
                "The [s] stands in [town], where [works] paintings are on display.",
                "With [works] paintings, the [s] is the pride of [town].",
            ],
        ),
        said(
            [
                "The [s] was restored in [restored] under the direction of [director].",
                "The director of the [s] was [director], and the building was restored in [restored].",
                "The [s], restored in [restored], had [director] as its director.",
            ],
            [
                "Under its head, [director], the [s] was repaired in [restored].",
                "The repair of the [s] ended in [restored], when [director] became its head.",
            ],
        ),
    ),
    asks=(
        ask(
            "architect",
            ["Who designed the {s}?", "Which architect designed the {s}?", "Who was the architect of the {s}?"],
            ["Who drew the plans of the {s}?", "What was the name of the architect of the {s}?"],
        ),
        ask(
            "opened",
            ["In what year was the {s} inaugurated?", "When did the {s} open?"],
            ["What year did the {s} admit its first visitors?", "When was the {s} opened to the public?"],
        ),
        ask(
            "town",
            ["Where is the {s}?", "In what town is the {s}?"],
            ["What town is home to the {s}?", "Where does the {s} stand?"],
        ),
        ask(
            "works",
            ["How many paintings does the {s} have?", "How many paintings are in the collection of the {s}?"],
            ["How many paintings are on display at the {s}?", "What number of paintings does the {s} keep?"],
        ),
        ask(
            "restored",
            ["In what year was the {s} restored?", "When was the restoration of the {s}?"],
            ["What year was the {s} repaired?", "When did the {s} undergo repair?"],
        ),
        ask(
            "director",
            ["Who was the director of the {s}?", "Who directed the {s}?"],
            ["Who was the head of the {s}?", "What was the name of the director of the {s}?"],
        ),
        ask(
            "s",
            ["Which building was designed by {architect}?", "What did {architect} design?"],
            ["For which building did {architect} draw the plans?"],
            given="architect",
        ),
    ),
)

MUSICIANS = Domain(
    "Musicians",
    {
        **{"s": _person, "teacher": _person, "birthplace": _town, "stage": _town},
        **{"born": dates(_MONTHS, _DATE, 1861, 1889), "debut": dates(_MONTHS, _DATE, 1901, 1914)},
        "instrument": listed(
            ["piano", "guitar", "violin", "trumpet", "flute", "clarinet", "saxophone", "mandolin"],
            ["accordion", "cello", "oboe", "tuba", "harp"],
        ),
    },
    facts=(
        said(
            [
                "[s] was born in [birthplace] on [born].",
                "[birthplace] is the town where [s] was born on [born].",
                "The musician [s], a native of [birthplace], was born on [born].",
            ],
            [
                "On [born], [s] came into the world in [birthplace].",
                "[s] first saw the light of day in [birthplace] on [born].",
            ],
        ),
        said(
            [
                "[s] studied the [instrument] with Professor [teacher].",
                "Professor [teacher] taught [s] to play the [instrument].",
                "A pupil of Professor [teacher], [s] played the [instrument].",
            ],
            [
                "The [instrument] was the instrument of [s], who took lessons from [teacher].",
                "It was from [teacher] that [s] learned the [instrument].",
            ],
        ),
        said(
            [
                "[s] gave a first concert in [stage] on [debut].",
                "The first concert of [s] took place in [stage] on [debut].",
                "On [debut], [s] presented a first concert at the opera house of [stage].",
            ],
            [
                "The debut of [s] was in [stage], on [debut].",
                "Audiences in [stage] heard [s] for the first time on [debut].",
            ],
        ),
    ),
    asks=(
        ask(
            "birthplace",
            ["Where was {s} born?", "In what town was {s} born?"],
            ["What is the native town of {s}?", "What was the birthplace of {s}?"],
        ),
        ask(
            "born",
            ["When was {s} born?", "On what date was {s} born?"],
            ["What is the date of birth of {s}?", "What day did {s} come into the world?"],
        ),
        ask(
            "teacher",
            ["Who taught {s}?", "With which professor did {s} study?", "Who was the professor of {s}?"],
            ["From whom did {s} learn to play?", "Who gave lessons to {s}?"],
        ),
        ask(
            "instrument",
            ["What instrument did {s} play?", "Which instrument did {s} study?"],
            ["What instrument did {s} learn?", "On what instrument did {s} take lessons?"],
        ),
        ask(
            "stage",
            ["Where did {s} give a first concert?", "In what town did {s} present a first concert?"],
            ["What town saw the debut of {s}?", "Where did {s} first play before an audience?"],
        ),
        ask(
            "debut",
            ["When did {s} give a first concert?", "On what date was the first concert of {s}?"],
            ["What was the date of the debut of {s}?", "When did an audience first hear {s}?"],
        ),
        ask(
            "s",
            ["Which musician studied with {teacher}?", "Who was a pupil of {teacher}?"],
            ["Who took lessons from {teacher}?"],
            given="teacher",
        ),
    ),
)

RIVERS = Domain(
    "Rivers",
    {
        "s": named([("{} River", False)], _STEMS),
        "source": named([("Lake {}", False)], _STEMS),
        **{"explorer": _person, "year": _early, "town": _town},
        **{"length": numbers(90, 890, 10, "kilometres"), "depth": numbers(3, 29, 1, "metres")},
    },
    facts=(
        said(
            [
                "The [s] has its origin in [source] and a length of [length].",
                "From its origin in [source], the [s] runs for [length].",
                "With a length of [length], the [s] has its origin in [source].",
            ],
            [
                "The [s] rises in [source] and is [length] long.",
                "Over a course of [length], the [s] carries the water of [source] to the sea.",
            ],
        ),
        said(
            [
                "The [s] was explored by Captain [explorer] in [year].",
                "In [year], the explorer [explorer] made a map of the [s].",
                "[explorer] led an expedition to explore the [s] in [year].",
            ],
            [
                "In [year], [explorer] travelled the whole of the [s] in a canoe.",
                "The first chart of the [s] was the work of [explorer] in [year].",
            ],
        ),
        said(
            [
                "The [s] passes through [town], where it has a depth of [depth].",
                "In [town], the [s] has a depth of [depth].",
                "The [s], with a depth of [depth], has its principal port in [town].",
            ],
            [
                "The [s] flows past [town], and there it is [depth] deep.",
                "By the time it reaches [town], the [s] is [depth] deep.",
            ],
        ),
    ),
    asks=(
        ask(
            "source",
            ["Where is the origin of the {s}?", "In what lake does the {s} have its origin?"],
            ["Where does the {s} rise?", "What lake is the source of the {s}?"],
        ),
        ask(
            "length",
            ["What is the length of the {s}?", "How many kilometres does the {s} run?"],
            ["How long is the {s}?", "Over what distance does the {s} flow?"],
        ),
        ask(
            "explorer",
            ["Who explored the {s}?", "Which explorer made a map of the {s}?"],
            ["Who travelled the {s} to chart it?", "What was the name of the explorer of the {s}?"],
        ),
        ask(
            "year",
            ["In what year was the {s} explored?", "When was the expedition to the {s}?"],
            ["What year was the {s} first charted?", "When was the {s} travelled by an explorer?"],
        ),
        ask(
            "town",
            ["What town does the {s} pass through?", "Where is the principal port of the {s}?"],
            ["What town lies on the {s}?", "Past what town does the {s} flow?"],
        ),
        ask(
            "depth",
            ["What is the depth of the {s}?", "How many metres deep is the {s}?"],
            ["How deep is the {s}?", "What depth does the {s} reach?"],
        ),
        ask(
            "s",
            ["Which river was explored by {explorer}?", "What river did {explorer} explore?"],
            ["Of which river did {explorer} draw a chart?"],
            given="explorer",
        ),
    ),
)

COMPANIES = Domain(
    "Companies",
    {
        "s": named([("{} Company", False), ("{} Works", False)], _STEMS),
        **{"founder": _person, "president": _person, "founded": _early, "town": _town},
        "product": listed(
            ["chocolate", "bicycles", "perfume", "microscopes", "lamps", "cotton", "paper", "ceramics"],
            ["telescopes", "coffee", "marmalade", "candles", "watches"],
        ),
        "employees": numbers(120, 990, 5),
    },
    facts=(
        said(
            [
                "The [s] was founded by [founder] in [founded].",
                "In [founded], [founder] founded the [s].",
                "[founder] established the [s] in [founded].",
            ],
            [
                "The [s] owes its existence to [founder], who set it up in [founded].",
                "Set up in [founded], the [s] was the creation of [founder].",
            ],
        ),
        said(
            [
                "The [s] produces [product] in [town].",
                "In its factory in [town], the [s] manufactures [product].",
                "[town] is the home of the [s], which produces [product].",
            ],
            [
                "The [s] makes [product] at a plant in [town].",
                "From [town], the [s] sells [product] all over the country.",
            ],
        ),
        said(
            [
                "The president of the [s] is [president], and the company has [employees] employees.",
                "The [s] has [employees] employees and is directed by its president, [president].",
                "With [employees] employees, the [s] has elected [president] as president.",
            ],
            [
                "Today the [s] gives work to [employees] people and is headed by [president].",
                "At the head of the [s], [president] leads a staff of [employees].",
            ],
        ),
    ),
    asks=(
        ask(
            "founder",
            ["Who founded the {s}?", "Who was the founder of the {s}?", "Which person established the {s}?"],
            ["Who set up the {s}?", "To whom does the {s} owe its existence?"],
        ),
        ask(
            "founded",
            ["In what year was the {s} founded?", "When was the {s} established?"],
            ["What year was the {s} set up?", "Since when has the {s} existed?"],
        ),
        ask(
            "product",
            ["What does the {s} produce?", "What product does the {s} manufacture?"],
            ["What does the {s} make?", "What can one buy from the {s}?"],
        ),
        ask(
            "town",
            ["Where is the factory of the {s}?", "In what town is the {s}?"],
            ["What town is the {s} based in?", "Where does the {s} have its plant?"],
        ),
        ask(
            "president",
            ["Who is the president of the {s}?", "Who directs the {s}?"],
            ["Who is at the head of the {s}?", "Who leads the {s}?"],
        ),
        ask(
            "employees",
            ["How many employees does the {s} have?", "What is the number of employees of the {s}?"],
            ["How many people work for the {s}?", "How large is the staff of the {s}?"],
        ),
        ask(
            "s",
            ["Which company produces {product}?", "What company manufactures {product}?"],
            ["Which business makes {product}?"],
            given="product",
        ),
    ),
)

FESTIVALS = Domain(
    "Festivals",
    {
        "s": named([("{} Festival", False), ("{} Carnival", False)], _STEMS),
        **{"founder": _person, "year": _late, "town": _town},
        "month": listed(_MONTHS[:8], _MONTHS[8:]),
        "dish": listed(
            [
                *("tomato soup", "lemon cake", "rice with saffron", "roast chicken", "potato salad"),
                *("fish stew", "almond biscuits", "chocolate cream"),
            ],
            ["onion pie", "plum pudding", "honey pancakes", "lentil curry", "grilled sardines"],
        ),
        "duration": listed(
            ["three days", "five days", "seven days", "nine days", "ten days"],
            ["four days", "six days", "eight days", "twelve days"],
            unique=0,
        ),
    },
    facts=(
        said(
            [
                "The [s] is celebrated in [town] in the month of [month].",
                "In [month], [town] celebrates the [s].",
                "The people of [town] celebrate the [s] in [month].",
            ],
            [
                "[town] is the scene of the [s], which returns every [month].",
                "When [month] arrives, the streets of [town] fill up for the [s].",
            ],
        ),
        said(
            [
                "During the [s], which has a duration of [duration], visitors eat [dish].",
                "The typical dish of the [s] is [dish], and the celebration has a duration of [duration].",
                "The [s] lasts [duration], and its typical dish is [dish].",
            ],
            [
                "For [duration], guests of the [s] are served [dish].",
                "At the [s] one tastes [dish] and dances for [duration].",
            ],
        ),
        said(
            [
                "The [s] was created by the dancer [founder] in [year].",
                "In [year], the poet [founder] organised the first [s].",
                "The first [s] was organised by [founder] in [year].",
            ],
            [
                "[founder] had the idea of the [s] in [year].",
                "The [s] goes back to [founder] and to the year [year].",
            ],
        ),
    ),
    asks=(
        ask(
            "town",
            ["Where is the {s} celebrated?", "In what town is the {s} celebrated?"],
            ["What town is the scene of the {s}?", "Where does the {s} take place?"],
        ),
        ask(
            "month",
            ["In what month is the {s} celebrated?", "When is the {s} celebrated?"],
            ["What month brings the {s}?", "When does the {s} take place?"],
        ),
        ask(
            "dish",
            ["What is the typical dish of the {s}?", "What do visitors eat during the {s}?"],
            ["What food is served at the {s}?", "What does one taste at the {s}?"],
        ),
        ask(
            "duration",
            ["What is the duration of the {s}?", "How many days does the {s} last?"],
            ["How long is the {s}?", "For how many days do people dance at the {s}?"],
        ),
        ask(
            "founder",
            ["Who created the {s}?", "Who organised the first {s}?"],
            ["Whose idea was the {s}?", "Who came up with the {s}?"],
        ),
        ask(
            "year",
            ["In what year was the first {s} organised?", "When was the {s} created?"],
            ["What year does the {s} go back to?", "When did the idea of the {s} appear?"],
        ),
        ask(
            "s",
            ["Which festival was created by {founder}?", "What did {founder} organise?"],
            ["Which celebration goes back to {founder}?"],
            given="founder",
        ),
    ),
)

BRIDGES = Domain(
    "Bridges",
    {
        "s": named([("{} Bridge", False), ("{} Viaduct", False)], _STEMS),
        "river": named([("{} River", False)], _STEMS),
        **{"engineer": _person, "built": _late},
        "material": listed(
            ["granite", "steel", "concrete", "marble", "bronze", "wood"], ["iron", "brick", "limestone", "cedar"]
        ),
        **{"length": numbers(105, 985, 5, "metres"), "traffic": numbers(210, 990, 10)},
    },
    facts=(
        said(
            [
                "The [s] was constructed by the engineer [engineer] in [built].",
                "In [built], [engineer] completed the construction of the [s].",
                "The engineer [engineer] constructed the [s] in [built].",
            ],
            [
                "Work on the [s] ended in [built] under [engineer].",
                "[engineer] put up the [s], which was ready in [built].",
            ],
        ),
        said(
            [
                "The [s] has a length of [length] and is made of [material].",
                "Made of [material], the [s] has a length of [length].",
                "The structure of the [s] is of [material], with a total length of [length].",
            ],
            [
                "The [s] is a work of [material] that stretches over [length].",
                "The [s] measures [length] from end to end, and [material] was used for it.",
            ],
        ),
        said(
            [
                "The [s] crosses the [river] and is used by [traffic] vehicles every day.",
                "Every day, [traffic] vehicles cross the [river] on the [s].",
                "With a traffic of [traffic] vehicles a day, the [s] crosses the [river].",
            ],
            [
                "The [s] spans the [river] and carries [traffic] cars a day.",
                "Some [traffic] cars a day take the [s] to get over the [river].",
            ],
        ),
    ),
    asks=(
        ask(
            "engineer",
            ["Who constructed the {s}?", "Which engineer constructed the {s}?"],
            ["Who put up the {s}?", "What was the name of the engineer of the {s}?"],
        ),
        ask(
            "built",
            ["In what year was the {s} constructed?", "When was the construction of the {s} completed?"],
            ["What year was the {s} ready?", "When did the work on the {s} end?"],
        ),
        ask(
            "length",
            ["What is the length of the {s}?", "How many metres long is the {s}?"],
            ["How long is the {s}?", "What does the {s} measure from end to end?"],
        ),
        ask(
            "material",
            ["What material is the {s} made of?", "What is the {s} made of?"],
            ["What was used to build the {s}?", "Of what does the {s} consist?"],
        ),
        ask(
            "river",
            ["What river does the {s} cross?", "Which river is crossed by the {s}?"],
            ["What does the {s} span?", "Over which river does the {s} lead?"],
        ),
        ask(
            "traffic",
            ["How many vehicles use the {s} every day?", "How many vehicles cross the {s} every day?"],
            ["How many cars does the {s} carry a day?", "What is the daily number of cars on the {s}?"],
        ),
        ask(
            "s",
            ["Which bridge was constructed by {engineer}?", "What did {engineer} construct?"],
            ["What did {engineer} put up?"],
            given="engineer",
        ),
    ),
)

SCIENTISTS = Domain(
    "Scientists",
    {
        **{"s": _person, "assistant": _person, "year": _late},
        "mineral": listed(_MINERALS[0], _MINERALS[1]),
        "science": listed(
            ["chemistry", "botany", "physics", "geology", "astronomy", "medicine"],
            ["zoology", "anatomy", "mathematics", "philosophy"],
        ),
        "university": named([("University of {}", False)], _TOWNS),
        "prize": named([("{} Prize", False), ("{} Medal", False)], _STEMS),
    },
    facts=(
        said(
            [
                "[s] discovered the mineral [mineral] in [year].",
                "The mineral [mineral] was discovered by [s] in [year].",
                "In [year], [s] discovered a mineral called [mineral].",
            ],
            [
                "It was [s] who found [mineral] in [year].",
                "The discovery of [mineral] in [year] made the name of [s] known.",
            ],
        ),
        said(
            [
                "[s] was a professor of [science] at the [university].",
                "At the [university], [s] taught [science].",
                "A professor at the [university], [s] gave courses in [science].",
            ],
            [
                "[s] held the chair of [science] at the [university].",
                "Students of the [university] learned [science] from [s].",
            ],
        ),
        said(
            [
                "With the help of [assistant], [s] received the [prize].",
                "[s], whose assistant was [assistant], received the [prize].",
                "The [prize] was given to [s], who had [assistant] as assistant.",
            ],
            [
                "The [prize] went to [s], while [assistant] helped in the laboratory.",
                "Helped by [assistant], [s] was honoured with the [prize].",
            ],
        ),
    ),
    asks=(
        ask(
            "mineral",
            ["What mineral did {s} discover?", "What did {s} discover?"],
            ["What was found by {s}?", "Which mineral made the name of {s} known?"],
        ),
        ask(
            "year",
            ["In what year did {s} discover a mineral?", "When was the discovery of {s}?"],
            ["What year did {s} find a mineral?", "When did {s} make a find?"],
        ),
        ask(
            "science",
            ["What science did {s} teach?", "Of what science was {s} a professor?"],
            ["What did students learn from {s}?", "In what science did {s} hold a chair?"],
        ),
        ask(
            "university",
            ["At what university was {s} a professor?", "Where did {s} teach?"],
            ["Where did {s} hold a chair?", "Whose students learned from {s}?"],
        ),
        ask(
            "prize",
            ["What prize did {s} receive?", "Which prize was given to {s}?"],
            ["What was {s} honoured with?", "Which award went to {s}?"],
        ),
        ask(
            "assistant",
            ["Who was the assistant of {s}?", "With the help of which person did {s} work?"],
            ["Who helped {s} in the laboratory?", "By whom was {s} helped?"],
        ),
        ask(
            "s",
            ["Who discovered the mineral {mineral}?", "Which person discovered {mineral}?"],
            ["Who found {mineral}?"],
            given="mineral",
        ),
    ),
)

NOVELS = Domain(
    "Novels",
    {
        "s": listed(
            joined(
                ("Silver", "Silent", "Distant", "Crimson", "Hidden", "Frozen", "Golden", "Broken", "Empty", "Last"),
                (" Orchard", " Lantern", " Harbour", " Garden", " Mirror", " Letter", " Forest", " Window"),
            ),
            joined(
                ("Burning", "Painted", "Secret", "Lonely", "Second"),
                (" Island", " Staircase", " Voyage", " Clock", " Tower"),
            ),
        ),
        **{"author": _person, "translator": _person, "published": _early, "film": _late},
        **{"setting": _town, "pages": numbers(120, 890, 2)},
    },
    facts=(
        said(
            [
                "The novel [s] was written by [author] and published in [published].",
                "In [published], the author [author] published the novel [s].",
                "[author] is the author of the novel [s], published in [published].",
            ],
            [
                "From the pen of [author] came [s], printed in [published].",
                "Readers first held [s], a story by [author], in [published].",
            ],
        ),
        said(
            [
                "The action of the novel [s] takes place in [setting] and fills [pages] pages.",
                "The novel [s], with its action in [setting], has [pages] pages.",
                "With [pages] pages, the novel [s] has its action in [setting].",
            ],
            [
                "[s] tells a story of [setting] in [pages] pages.",
                "A family from [setting] fills the [pages] pages of [s].",
            ],
        ),
        said(
            [
                "The translator of [s] was [translator], and a film version appeared in [film].",
                "The novel [s], translated by [translator], inspired a film in [film].",
                "A film version of [s], after the translation of [translator], was produced in [film].",
            ],
            [
                "Readers abroad owe [s] to [translator], and the cinema took it up in [film].",
                "In [film] the cinema took up [s], which [translator] had put into French.",
            ],
        ),
    ),
    asks=(
        ask(
            "author",
            ["Who is the author of {s}?", "Who wrote the novel {s}?"],
            ["From whose pen came {s}?", "Whose story is {s}?"],
        ),
        ask(
            "published",
            ["In what year was {s} published?", "When was the publication of {s}?"],
            ["What year was {s} printed?", "When did readers first hold {s}?"],
        ),
        ask(
            "setting",
            ["Where does the action of {s} take place?", "In what town is the action of {s}?"],
            ["What town is {s} set in?", "From where is the family in {s}?"],
        ),
        ask(
            "pages",
            ["How many pages does {s} have?", "What is the number of pages of {s}?"],
            ["How many pages are there in {s}?", "How long is the novel {s}?"],
        ),
        ask(
            "translator",
            ["Who was the translator of {s}?", "Who translated {s}?"],
            ["Who put {s} into French?", "To whom do readers abroad owe {s}?"],
        ),
        ask(
            "film",
            ["In what year was the film of {s} produced?", "When did a film version of {s} appear?"],
            ["What year did the cinema take up {s}?", "When was {s} brought to the screen?"],
        ),
        ask(
            "s",
            ["What novel did {author} publish?", "Which novel was written by {author}?"],
            ["Which story came from the pen of {author}?"],
            given="author",
        ),
    ),
)

VOLCANOES = Domain(
    "Volcanoes",
    {
        "s": named([("Mount {}", False)], _STEMS),
        **{"climber": _person, "ascent": _early, "town": _town},
        **{"altitude": numbers(1210, 5890, 10, "metres"), "eruption": dates(_MONTHS, _DATE, 1911, 1979)},
        "duration": listed(
            ["two weeks", "four weeks", "six weeks", "eight weeks", "ten weeks"],
            ["three weeks", "five weeks", "seven weeks", "nine weeks"],
            unique=0,
        ),
    },
    facts=(
        said(
            [
                "The volcano [s] has an altitude of [altitude] and is near the town of [town].",
                "Near [town], the volcano [s] reaches an altitude of [altitude].",
                "[s], a volcano with an altitude of [altitude], dominates the town of [town].",
            ],
            [
                "[s] is [altitude] high and can be seen from [town].",
                "From [town] one sees [s], a cone [altitude] high.",
            ],
        ),
        said(
            [
                "[climber] made the first ascent of [s] in [ascent].",
                "The first ascent of [s] was made in [ascent] by [climber].",
                "In [ascent], the alpinist [climber] made the first ascent of [s].",
            ],
            [
                "[climber] was the first to stand on top of [s], in [ascent].",
                "Nobody had climbed [s] before [climber] did so in [ascent].",
            ],
        ),
        said(
            [
                "The last eruption of [s] occurred on [eruption] and had a duration of [duration].",
                "On [eruption], [s] had an eruption with a duration of [duration].",
                "With a duration of [duration], the last eruption of [s] began on [eruption].",
            ],
            [
                "On [eruption], [s] began to throw out ash, and it did so for [duration].",
                "For [duration] from [eruption] on, lava flowed from [s].",
            ],
        ),
    ),
    asks=(
        ask(
            "altitude",
            ["What is the altitude of {s}?", "What altitude does {s} reach?"],
            ["How high is {s}?", "What is the height of {s}?"],
        ),
        ask(
            "town",
            ["Near what town is {s}?", "What town does {s} dominate?"],
            ["From where can {s} be seen?", "What town lies close to {s}?"],
        ),
        ask(
            "climber",
            ["Who made the first ascent of {s}?", "Which alpinist made the first ascent of {s}?"],
            ["Who was the first to climb {s}?", "Who first stood on top of {s}?"],
        ),
        ask(
            "ascent",
            ["In what year was the first ascent of {s}?", "When did an alpinist make the first ascent of {s}?"],
            ["What year was {s} climbed?", "When did somebody stand on top of {s}?"],
        ),
        ask(
            "eruption",
            ["On what date did the last eruption of {s} occur?", "When was the last eruption of {s}?"],
            ["What day did {s} throw out ash?", "What was the date on which lava flowed from {s}?"],
        ),
        ask(
            "duration",
            ["What was the duration of the eruption of {s}?", "How many weeks was the eruption of {s}?"],
            ["How long did lava flow from {s}?", "For how long did {s} throw out ash?"],
        ),
        ask(
            "s",
            ["What volcano is near {town}?", "Which volcano dominates {town}?"],
            ["Which mountain can be seen from {town}?"],
            given="town",
        ),
    ),
)

ANIMALS = Domain(
    "Animals",
    {
        "s": named([(f"{{}} {animal}", False) for animal in ("iguana", "tortoise", "parrot", "lizard")], _STEMS),
        "region": named([("{} Valley", False)], _STEMS),
        **{"zoologist": _person, "year": _late},
        "food": listed(
            ["insects", "bananas", "seeds", "roots", "mangoes", "melons", "snails", "flowers"],
            ["ants", "olives", "algae", "cherries", "worms"],
        ),
        **{"weight": numbers(110, 980, 10, "grams"), "life": numbers(12, 69, 1, "years")},
    },
    facts=(
        said(
            [
                "The [s] lives in the [region] and eats [food].",
                "In the [region], the [s] eats [food].",
                "The [s], an animal of the [region], has a diet of [food].",
            ],
            [
                "At home in the [region], the [s] feeds on [food].",
                "Look for the [s] in the [region], where it finds [food].",
            ],
        ),
        said(
            [
                "The zoologist [zoologist] described the [s] in [year].",
                "The [s] was discovered by [zoologist] in [year].",
                "In [year], the zoologist [zoologist] discovered the [s].",
            ],
            [
                "Science has known the [s] since [year], thanks to [zoologist].",
                "Nobody had noticed the [s] until [zoologist] found it in [year].",
            ],
        ),
        said(
            [
                "An adult [s] has a weight of [weight] and lives for [life].",
                "The [s] lives for [life] and has a weight of [weight].",
                "With a weight of [weight], the [s] lives for [life].",
            ],
            [
                "A grown [s] weighs [weight] and reaches the age of [life].",
                "The [s] grows as old as [life] and as heavy as [weight].",
            ],
        ),
    ),
    asks=(
        ask(
            "region",
            ["Where does the {s} live?", "In what valley does the {s} live?"],
            ["Where is the {s} at home?", "In what place can one look for the {s}?"],
        ),
        ask(
            "food",
            ["What does the {s} eat?", "What is the diet of the {s}?"],
            ["What does the {s} feed on?", "What food does the {s} find?"],
        ),
        ask(
            "zoologist",
            ["Who discovered the {s}?", "Which zoologist described the {s}?"],
            ["Who first found the {s}?", "Thanks to whom is the {s} known?"],
        ),
        ask(
            "year",
            ["In what year was the {s} discovered?", "When did a zoologist describe the {s}?"],
            ["Since what year has the {s} been known?", "When was the {s} found?"],
        ),
        ask(
            "weight",
            ["What is the weight of the {s}?", "What weight does the {s} have?"],
            ["How much does the {s} weigh?", "How heavy is the {s}?"],
        ),
        ask(
            "life",
            ["How many years does the {s} live?", "How long does the {s} live?"],
            ["What age does the {s} reach?", "How old does the {s} grow?"],
        ),
        ask(
            "s",
            ["Which animal was discovered by {zoologist}?", "What animal did {zoologist} describe?"],
            ["Which creature did {zoologist} find?"],
            given="zoologist",
        ),
    ),
)

# Some answers are lists, which the other topics lack. The countries of the capybara's paragraph (`CAPYBARA_CONTEXT_ES`) are left out.
BIRDS = Domain(
    "Birds",
    {
        "s": named([(f"{{}} {bird}", False) for bird in ("heron", "plover", "thrush", "owl")], _STEMS),
        "countries": several(
            ["Peru", "Chile", "Cuba", "Panama", "Mexico", "Kenya", "Ghana", "Mali", "Angola", "Zambia", "Norway", "Poland", "Latvia",
             "Italy", "Spain", "Nepal", "India", "Laos", "Vietnam", "Japan", "the south of Portugal", "the north of Bolivia",
             "the east of Turkey", "the west of Ireland"],
            ["Ecuador", "Haiti", "Togo", "Malta", "Estonia", "Sweden", "Bhutan", "Oman", "the north of Finland", "the west of Greece"],
        ),
        "nests": listed(
            ["hollow trees", "old walls", "thick reeds", "dry bushes", "tall pines", "sandy banks"],
            ["church towers", "wet meadows", "steep cliffs"],
        ),
        "eggs": numbers(11, 98, 1, "days"),
    },
    facts=(
        said(
            [
                "The [s] lives in [countries].",
                "The [s] is found in [countries].",
                "One can see the [s] in [countries].",
            ],
            ["The [s] has its home in [countries].", "The [s] inhabits [countries]."],
        ),
        said(
            [
                "The [s] nests in [nests], and its eggs hatch after [eggs].",
                "In [nests] the [s] lays its eggs, which hatch after [eggs].",
                "The eggs of the [s], laid in [nests], hatch after [eggs].",
            ],
            [
                "It takes [eggs] before the eggs of the [s] hatch in [nests].",
                "The [s] breeds for [eggs] in [nests].",
            ],
        ),
    ),
    asks=(
        ask(
            "countries",
            ["What countries does the {s} live in?", "In which countries is the {s} found?"],
            ["Which countries are home to the {s}?", "Where in the world does the {s} live?"],
        ),
        ask(
            "nests",
            ["Where does the {s} nest?", "In what does the {s} lay its eggs?"],
            ["Where does the {s} breed?", "What place does the {s} choose for its eggs?"],
        ),
        ask(
            "eggs",
            ["After how many days do the eggs of the {s} hatch?", "When do the eggs of the {s} hatch?"],
            ["How long do the eggs of the {s} take?", "How many days does the {s} breed?"],
        ),
    ),
)  # fmt: skip

ENGLISH = Language(
    "en",
    (MUSEUMS, MUSICIANS, RIVERS, COMPANIES, FESTIVALS, BRIDGES, SCIENTISTS, NOVELS, VOLCANOES, ANIMALS),
    asides=Phrasings(
        (
            "All this can be read in a guide to the region.",
            "These facts come from a local archive.",
            "A documentary was made on the subject.",
        ),
        ("So says an old chronicle.", "The local radio has told the story many times."),
    ),
)
