"""The Russian tables of the sample: other people, places and things than the English and Spanish ones.

Names and nouns decline through the tables of `declension`: `[s.gen]` is the subject in the genitive, `{s||а}` an ending
that agrees with it.
"""

from __future__ import annotations

from xlqa.data.sample.declension import (
    Noun,
    Unit,
    chosen,
    counted,
    declined,
    described,
    families,
    irregular,
    measured,
    named_after,
    named_by_adjective,
    noun,
    nouns,
    persons,
    phrase,
    spans_of_time,
)
from xlqa.data.sample.templates import Domain, Language, Phrasings, ask, dates, joined, numbers, said

# Every stem ends in a hard н, р or в, so that it takes -ск-, -а and -ит without a change.
STEMS = (
    joined(
        ("Вел", "Тур", "Мер", "Дол", "Касн", "Лам", "Рог", "Севр"),
        ("ирин", "одар", "умен", "авор", "ибар", "онар", "амор", "етан"),
    ),
    joined(("Зар", "Гил", "Пен", "Нут", "Ферм", "Буд"), ("атир", "обен", "иман", "олур")),
)
RIVER_NAMES = tuple(nouns({"f": " ".join(stems)}) for stems in STEMS)
MINERALS = tuple(nouns({"m": " ".join(f"{stem.lower()}ит" for stem in stems)}) for stems in STEMS)
TOWNS = (
    tuple(
        noun(first + second, kind)
        for first in ("Клено", "Лисо", "Сово", "Вербо", "Бобро", "Снего", "Тумано", "Яхонто")
        for second, kind in (("град", "m"), ("вольск", "m"), ("пол", "m-ь"), ("речь", "n-ье"), ("гор", "f"))
    ),
    tuple(
        noun(first + second, kind)
        for first in ("Хмеле", "Рысе", "Громо", "Медо", "Искро", "Росо")
        for second, kind in (("бор", "m"), ("холм", "m"), ("озерь", "n-ье"), ("лук", "f-и"))
    ),
)
WOMEN = (
    nouns({"f": "Анн Вер Раис Тамар Нин Антонин", "f-и": "Ольг", "f-я": "Зо", "f-ия": "Лиди Мари Юли"}),
    nouns({"f": "Алл Галин Елен Варвар", "f-я": "Софь", "f-ия": "Клавди"}),
)
MEN = (
    nouns(
        {
            **{"m-anim": "Олег Игнат Степан Тимур Борис", "m-й-anim": "Матве Серге", "m-ий-anim": "Юри"},
            **{"m-ь-anim": "Игор", "m-а-anim": "Никит"},
        }
    ),
    nouns({"m-anim": "Глеб Антон Вадим", "m-й-anim": "Андре", "m-ий-anim": "Григори", "m-а-anim": "Савв"}),
)
FAMILIES = (
    families(
        ov="Ветлугин Берестов Ковригин Полозов Стогов Чагин Лобазов Рябинин Зимин Хмелёв Дроздов Мельгунов Сазонов "
        "Корзухин Пелагин Ярцев",
        sky="Лисовск Подгорск Верещинск Каменск",
    ),
    families(ov="Грачёв Суровин Кольцов Бажутин Нестеров Уваров Пахомов Тихвинов", sky="Задольск Островск"),
)
_MONTHS = (
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
)
_DATE = "{day} {month} {year} года"

_KILOMETRE = Unit(declined("километр", "m"), "километров")
_METRE = Unit(declined("метр", "m"), "метров")
_GRAM = Unit(declined("грамм", "m"), "граммов")
_YEAR = Unit(declined("год", "m"), "лет")
_DAY = Unit(irregular("m", "день, дня, дню, день, днём, дне").forms, "дней")
_WEEK = Unit(declined("недел", "f-я"), "недель")
_PICTURE = Unit(declined("картин", "f"), "картин")
_PAGE = Unit(declined("страниц", "f-ц"), "страниц", "страницах")
_CAR = Unit(declined("машин", "f"), "машин")
_PERSON = Unit(declined("человек", "m-anim"), "человек")

_LAKE, _RIVER, _VALLEY, _VOLCANO = noun("озер", "n"), noun("рек", "f-и"), noun("долин", "f"), noun("вулкан", "m")


def _titles(heads: tuple[Noun, ...], adjectives: tuple[str, ...]) -> tuple[Noun, ...]:
    """Titles of novels: an adjective, given as a stem, and a noun that tells the title from the others."""
    titles = []
    for head in heads:
        for adjective in adjectives:
            title = described(adjective, head)
            titles.append(Noun(title.forms, title.gender, unique=head.forms["nom"]))
    return tuple(titles)


_NOVEL_TITLES = (
    _titles(
        nouns({"m": "сад лес маяк", "f": "комнат", "f-ц": "лестниц", "f-и": "дорог", "f-ь": "ноч", "n": "письм окн"}),
        ("Забыт", "Безмолвн", "Потерянн", "Тайн"),
    ),
    _titles(
        nouns({"m": "парус", "m-ь": "корабл", "f-я": "башн", "f-ь": "площад", "n": "зеркал"}), ("Молчалив", "Пёстр")
    ),
)


def _with(dish: Noun, addition: str) -> Noun:
    """A dish with what it comes with: "рис с шафраном"."""
    return Noun(phrase(dish.forms, addition), dish.gender, unique=dish.forms["nom"])


_person = persons(WOMEN, MEN, FAMILIES)
_town = chosen(*TOWNS)
_early = numbers(1842, 1909, 1)
_late = numbers(1911, 1989, 1)

MUSEUMS = Domain(
    "Музеи",
    {
        "s": named_by_adjective([noun("музе", "m-й"), noun("галере", "f-я")], STEMS),
        **{"architect": _person, "director": _person, "opened": _early, "restored": _late},
        **{"town": _town, "works": counted(112, 987, 1, _PICTURE)},
    },
    facts=(
        said(
            [
                "[s] построен{s||а} по проекту архитектора [architect.gen] и открыт{s||а} в [opened] году.",
                "Открыт{s|ый|ая} в [opened] году [s] — работа архитектора [architect.gen].",
                "Архитектор [architect] спроектировал{architect||а} [s.acc], "
                "котор{s|ый|ая} открыл{s|ся|ась} в [opened] году.",
            ],
            [
                "Чертежи [s.gen] выполнил{architect||а} [architect], "
                "а первых посетителей {s|он принял|она приняла} в [opened] году.",
                "В [opened] году [s] распахнул{s||а} двери перед публикой; автор проекта — [architect].",
            ],
        ),
        said(
            [
                "[s] находится в центре города [town.gen] и располагает коллекцией из [works] {works.count_gen}.",
                "В собрании [s.gen] в городе [town.prep] хранится [works] {works.count_nom}.",
                "В [town.prep] [s] хранит [works] {works.count_acc}.",
            ],
            [
                "[s] в городе [town.prep] показывает посетителям [works] {works.count_acc}.",
                "Гордость города [town.gen] — [s], где можно увидеть [works] {works.count_acc}.",
            ],
        ),
        said(
            [
                "Реставрация [s.gen] прошла в [restored] году при директоре [director.prep].",
                "Директором [s.gen] был{director||а} [director], а здание отреставрировали в [restored] году.",
                "Когда в [restored] году [s.acc] отреставрировали, {s|его|её} директором был{director||а} [director].",
            ],
            [
                "Ремонт [s.gen] закончился в [restored] году, когда во главе {s|музея|галереи} "
                "стоял{director||а} [director].",
                "При [director.prep] здание [s.gen] отремонтировали в [restored] году.",
            ],
        ),
    ),
    asks=(
        ask(
            "architect",
            [
                "Кто спроектировал {s.acc}?",
                "Какой архитектор спроектировал {s.acc}?",
                "По чьему проекту построен{s||а} {s}?",
            ],
            ["Кто выполнил чертежи {s.gen}?", "Как звали автора проекта {s.gen}?"],
        ),
        ask(
            "opened",
            ["В каком году открыл{s|ся|ась} {s}?", "Когда был{s||а} открыт{s||а} {s}?"],
            ["В каком году {s} принял{s||а} первых посетителей?", "Когда {s} распахнул{s||а} двери перед публикой?"],
        ),
        ask(
            "town",
            ["Где находится {s}?", "В каком городе находится {s}?"],
            ["Какой город гордится {s.ins}?", "Где расположен{s||а} {s}?"],
        ),
        ask(
            "works",
            ["Сколько картин хранит {s}?", "Сколько картин в коллекции {s.gen}?"],
            ["Сколько картин можно увидеть в {s.prep}?", "Сколько картин показывает посетителям {s}?"],
        ),
        ask(
            "restored",
            ["В каком году отреставрировали {s.acc}?", "Когда прошла реставрация {s.gen}?"],
            ["В каком году отремонтировали {s.acc}?", "Когда закончился ремонт {s.gen}?"],
        ),
        ask(
            "director",
            ["Кто был директором {s.gen}?", "При каком директоре отреставрировали {s.acc}?"],
            ["Кто стоял во главе {s.gen}?", "При ком отремонтировали {s.acc}?"],
        ),
        ask(
            "s",
            [
                "Какое здание спроектировал{architect||а} {architect}?",
                "Что построили по проекту {architect.gen}?",
            ],
            ["Чертежи какого здания выполнил{architect||а} {architect}?"],
            given="architect",
        ),
    ),
)

MUSICIANS = Domain(
    "Музыканты",
    {
        **{"s": _person, "teacher": _person, "birthplace": _town, "stage": _town},
        **{"born": dates(_MONTHS, _DATE, 1861, 1889), "debut": dates(_MONTHS, _DATE, 1901, 1914)},
        "instrument": chosen(
            nouns({"m": "кларнет саксофон", "m-ь": "роял", "f": "гитар труб флейт мандолин", "f-и": "скрипк"}),
            nouns({"m": "аккордеон", "m-й": "гобо", "f": "туб арф", "f-ь": "виолончел"}),
        ),
    },
    facts=(
        said(
            [
                "[s] родил{s|ся|ась} в городе [birthplace.prep] [born].",
                "В [birthplace.prep] [born] родил{s|ся|ась} [s].",
                "Артист{s||ка} [s] — урожен{s|ец|ка} города [birthplace.gen], дата рождения — [born].",
            ],
            [
                "Место рождения [s.gen] — город [birthplace], а дата — [born].",
                "[s] появил{s|ся|ась} на свет [born] в городе [birthplace.prep].",
            ],
        ),
        said(
            [
                "[s] учил{s|ся|ась} играть на [instrument.prep] у [teacher.gen].",
                "Педагог [teacher] научил{teacher||а} [s.acc] играть на [instrument.prep].",
                "Учени{s|к|ца} [teacher.gen], [s] играл{s||а} на [instrument.prep].",
            ],
            [
                "[s] освоил{s||а} [instrument.acc] на уроках [teacher.gen].",
                "Благодаря урокам [teacher.gen] [s] полюбил{s||а} [instrument.acc].",
            ],
        ),
        said(
            [
                "Свой первый концерт [s] дал{s||а} [debut] в городе [stage.prep].",
                "Первый концерт [s.gen] состоялся в [stage.prep] [debut].",
                "Публика города [stage.gen] услышала первый концерт [s.gen] [debut].",
            ],
            [
                "Дебют [s.gen] прошёл [debut] на сцене города [stage.gen].",
                "[s] дебютировал{s||а} [debut] в театре города [stage.gen].",
            ],
        ),
    ),
    asks=(
        ask(
            "birthplace",
            ["Где родил{s|ся|ась} {s}?", "В каком городе родил{s|ся|ась} {s}?"],
            ["Какой город — место рождения {s.gen}?", "Где {s} появил{s|ся|ась} на свет?"],
        ),
        ask(
            "born",
            ["Когда родил{s|ся|ась} {s}?", "Какого числа родил{s|ся|ась} {s}?"],
            ["Какова дата рождения {s.gen}?", "Когда {s} появил{s|ся|ась} на свет?"],
        ),
        ask(
            "teacher",
            [
                "Кто научил {s.acc} играть?",
                "У кого учил{s|ся|ась} {s}?",
                "Чь{s|им|ей} учени{s|ком|цей} был{s||а} {s}?",
            ],
            ["На чьих уроках занимал{s|ся|ась} {s}?", "Кто давал уроки {s.dat}?"],
        ),
        ask(
            "instrument",
            ["На каком инструменте играл{s||а} {s}?", "На каком инструменте учил{s|ся|ась} играть {s}?"],
            ["Какой инструмент освоил{s||а} {s}?", "Какой инструмент полюбил{s||а} {s}?"],
        ),
        ask(
            "stage",
            ["Где {s} дал{s||а} свой первый концерт?", "В каком городе состоялся первый концерт {s.gen}?"],
            ["Где прошёл дебют {s.gen}?", "В каком городе дебютировал{s||а} {s}?"],
        ),
        ask(
            "debut",
            ["Когда {s} дал{s||а} свой первый концерт?", "Какого числа состоялся первый концерт {s.gen}?"],
            ["Когда прошёл дебют {s.gen}?", "Какого числа дебютировал{s||а} {s}?"],
        ),
        ask(
            "s",
            ["Кто учился играть у {teacher.gen}?", "Кого научил{teacher||а} играть {teacher}?"],
            ["Кто брал уроки у {teacher.gen}?"],
            given="teacher",
        ),
    ),
)

RIVERS = Domain(
    "Реки",
    {
        "s": named_after(_RIVER, (RIVER_NAMES[0], RIVER_NAMES[1])),
        "source": named_by_adjective([_LAKE], STEMS),
        **{"explorer": _person, "year": _early, "town": _town},
        **{"length": measured(91, 894, 1, _KILOMETRE), "depth": measured(3, 29, 1, _METRE)},
    },
    facts=(
        said(
            [
                "[s.Nom] берёт начало в [source.prep], а её длина составляет [length.acc].",
                "Вытекая из [source.gen], [s] проходит [length.acc].",
                "Длина [s.gen] — [length], а начинается она в [source.prep].",
            ],
            [
                "[source.Nom] — исток [s.gen], русло которой тянется на [length.acc].",
                "Русло [s.gen] протянулось на [length.acc], а её исток — [source].",
            ],
        ),
        said(
            [
                "В [year] году [s.acc] исследовал{explorer||а} путешественни{explorer|к|ца} [explorer].",
                "Карту [s.gen] составил{explorer||а} [explorer] в [year] году.",
                "[explorer] возглавил{explorer||а} в [year] году экспедицию на [s.acc].",
            ],
            [
                "В [year] году [explorer] {explorer|прошёл|прошла} на лодке по [s.dat].",
                "Первое плавание по [s.dat] совершено [explorer.ins] в [year] году.",
            ],
        ),
        said(
            [
                "[s.Nom] протекает через [town.acc], где её глубина — [depth].",
                "В городе [town.prep] глубина [s.gen] достигает [depth.gen].",
                "Главный порт [s.gen] — город [town], а её глубина доходит до [depth.gen].",
            ],
            [
                "[s.Nom] пересекает город [town.acc]; самое глубокое место — [depth].",
                "Наибольшая глубина [s.gen] в городе [town.prep] — [depth].",
            ],
        ),
    ),
    asks=(
        ask(
            "source",
            ["Где берёт начало {s}?", "В каком озере начинается {s}?"],
            ["Где находится исток {s.gen}?", "Какое озеро служит истоком {s.gen}?"],
        ),
        ask(
            "length",
            ["Какова длина {s.gen}?", "Сколько километров составляет длина {s.gen}?"],
            ["На сколько километров протянулось русло {s.gen}?", "Какой длины русло {s.gen}?"],
        ),
        ask(
            "explorer",
            ["Кто исследовал {s.acc}?", "Какой путешественник исследовал {s.acc}?"],
            ["Кто прошёл на лодке по {s.dat}?", "Кем совершено плавание по {s.dat}?"],
        ),
        ask(
            "year",
            ["В каком году исследовали {s.acc}?", "Когда исследовали {s.acc}?"],
            ["В каком году прошли на лодке по {s.dat}?", "Когда совершено плавание по {s.dat}?"],
        ),
        ask(
            "town",
            ["Через какой город протекает {s}?", "Какой город стоит на {s.prep}?"],
            ["Какой город пересекает {s}?", "Какой город лежит на {s.prep}?"],
        ),
        ask(
            "depth",
            ["Какова глубина {s.gen}?", "Сколько метров составляет глубина {s.gen}?"],
            ["Какова наибольшая глубина {s.gen}?", "Насколько глубока {s}?"],
        ),
        ask(
            "s",
            [
                "Какую реку исследовал{explorer||а} {explorer}?",
                "Какую реку изучал{explorer||а} {explorer}?",
            ],
            ["По какой реке {explorer|прошёл|прошла} на лодке {explorer}?"],
            given="explorer",
        ),
    ),
)

COMPANIES = Domain(
    "Предприятия",
    {
        "s": named_by_adjective([noun("завод", "m"), noun("фабрик", "f-и")], STEMS),
        **{"founder": _person, "president": _person, "founded": _early, "town": _town},
        "product": chosen(
            nouns(
                {
                    **{"m": "шоколад фарфор", "f-и": "бумаг керамик", "f-ь": "мебел"},
                    **{"pl": "велосипед микроскоп", "pl-f": "ламп"},
                }
            ),
            nouns({"m-й": "ча", "f": "посуд", "n": "мыл", "n-ье": "варень", "pl": "телескоп"}),
        ),
        "employees": counted(121, 989, 1, _PERSON),
    },
    facts=(
        said(
            [
                "[s] основан{s||а} [founder.ins] в [founded] году.",
                "В [founded] году [founder] основал{founder||а} [s.acc].",
                "Основателем [s.gen] стал{founder||а} [founder]; произошло это в [founded] году.",
            ],
            [
                "[s] существует с [founded] года благодаря [founder.dat].",
                "История [s.gen] началась в [founded] году; у её истоков стоял{founder||а} [founder].",
            ],
        ),
        said(
            [
                "[s] выпускает [product.acc] в городе [town.prep].",
                "В [town.prep] находится [s], котор{s|ый|ая} производит [product.acc].",
                "Город [town] известен тем, что [s] производит там [product.acc].",
            ],
            [
                "Цеха [s.gen] в городе [town.prep] заняты изготовлением [product.gen].",
                "Из города [town.gen] [s] поставляет за границу [product.acc].",
            ],
        ),
        said(
            [
                "Директор [s.gen], где трудится [employees] {employees.count_nom}, — [president].",
                "На [s.prep] работает [employees] {employees.count_nom}, а {s|его|её} директор — [president].",
                "[president] руководит [s.ins], где работает [employees] {employees.count_nom}.",
            ],
            [
                "Во главе [s.gen] стоит [president], а {s|его|её} штат — [employees] {employees.count_nom}.",
                "[president] управляет [s.ins], штат котор{s|ого|ой} — [employees] {employees.count_nom}.",
            ],
        ),
    ),
    asks=(
        ask(
            "founder",
            ["Кто основал {s.acc}?", "Кем основан{s||а} {s}?"],
            ["Кто стоял у истоков {s.gen}?", "Благодаря кому существует {s}?"],
        ),
        ask(
            "founded",
            ["В каком году основан{s||а} {s}?", "Когда был{s||а} основан{s||а} {s}?"],
            ["С какого года существует {s}?", "Когда началась история {s.gen}?"],
        ),
        ask(
            "product",
            ["Что производит {s}?", "Какую продукцию выпускает {s}?"],
            ["Какой товар поставляет {s}?", "Изготовлением чего заняты цеха {s.gen}?"],
        ),
        ask(
            "town",
            ["Где работает {s}?", "В каком городе выпускает продукцию {s}?"],
            ["Из какого города поступает продукция {s.gen}?", "Где расположены цеха {s.gen}?"],
        ),
        ask(
            "president",
            ["Кто руководит {s.ins}?", "Кто директор {s.gen}?"],
            ["Кто стоит во главе {s.gen}?", "Кто управляет {s.ins}?"],
        ),
        ask(
            "employees",
            ["Сколько человек работает на {s.prep}?", "Сколько человек трудится на {s.prep}?"],
            ["Каков штат {s.gen}?", "Сколько человек в штате {s.gen}?"],
        ),
        ask(
            "s",
            ["Какое предприятие производит {product.acc}?", "Какое предприятие выпускает {product.acc}?"],
            ["Какое предприятие поставляет {product.acc}?"],
            given="product",
        ),
    ),
)

FESTIVALS = Domain(
    "Праздники",
    {
        "s": named_by_adjective([noun("фестивал", "m-ь"), noun("ярмарк", "f-и")], STEMS),
        **{"founder": _person, "year": _late, "town": _town},
        "month": chosen(
            nouns({"m": "март август", "m-ь": "апрел июн июл", "m-й": "ма", "m-ь-stressed": "январ феврал"}),
            nouns({"m-ь-stressed": "сентябр октябр ноябр декабр"}),
        ),
        "dish": chosen(
            (
                described("томатн", noun("суп", "m")),
                described("лимонн", noun("торт", "m")),
                described("жарен", noun("куриц", "f-ц")),
                described("тыквенн", noun("каш", "f-ш")),
                described("грибн", noun("пирог", "m"), kind="adj-m-ой"),
                _with(noun("рис", "m"), "с шафраном"),
            ),
            (
                described("сливов", noun("пастил", "f")),
                described("капустн", noun("рулет", "m")),
                described("чечевичн", noun("похлёбк", "f-и")),
                described("медов", noun("щербет", "m")),
                _with(noun("рыб", "f"), "с оливками"),
            ),
        ),
        "duration": chosen(
            spans_of_time(_DAY, "три/трёх пять/пяти семь/семи девять/девяти десять/десяти"),
            spans_of_time(_DAY, "четыре/четырёх шесть/шести восемь/восьми двенадцать/двенадцати"),
        ),
    },
    facts=(
        said(
            [
                "[s] проходит в городе [town.prep] в [month.prep].",
                "В [month.prep] город [town] встречает [s.acc].",
                "Жители города [town.gen] устраивают [s.acc] в [month.prep].",
            ],
            [
                "Каждый год в [month.prep] [s] собирает гостей в городе [town.prep].",
                "Город [town] принимает [s.acc] в [month.prep].",
            ],
        ),
        said(
            [
                "[s] длится [duration.acc], а главное угощение на {s|нём|ней} — [dish].",
                "На [s.prep], котор{s|ый|ая} длится [duration.acc], едят [dish.acc].",
                "Главное угощение [s.gen] — [dish], а сам праздник длится [duration.acc].",
            ],
            [
                "Гостям [s.gen] [duration.acc] подряд подают [dish.acc].",
                "В течение [duration.gen] гости [s.gen] пробуют [dish.acc].",
            ],
        ),
        said(
            [
                "[s] создан{s||а} [founder.ins] в [year] году.",
                "В [year] году {founder|поэт|поэтесса} [founder] {founder|провёл|провела} перв{s|ый|ую} [s.acc].",
                "Перв{s|ый|ую} [s.acc] организовал{founder||а} [founder] в [year] году.",
            ],
            [
                "[founder] придумал{founder||а} [s.acc] в [year] году.",
                "Идея [s.gen] принадлежит [founder.dat] и родилась в [year] году.",
            ],
        ),
    ),
    asks=(
        ask(
            "town",
            ["Где проходит {s}?", "В каком городе устраивают {s.acc}?"],
            ["Какой город принимает {s.acc}?", "В каком городе собирает гостей {s}?"],
        ),
        ask(
            "month",
            ["В каком месяце проходит {s}?", "Когда проходит {s}?"],
            ["В каком месяце собирает гостей {s}?", "Когда собирает гостей {s}?"],
        ),
        ask(
            "dish",
            ["Каково главное угощение {s.gen}?", "Что едят на {s.prep}?"],
            ["Что подают гостям {s.gen}?", "Что пробуют гости {s.gen}?"],
        ),
        ask(
            "duration",
            ["Сколько дней длится {s}?", "Как долго длится {s}?"],
            ["Сколько времени продолжается {s}?", "Сколько дней продолжается {s}?"],
        ),
        ask(
            "founder",
            ["Кем создан{s||а} {s}?", "Кто организовал перв{s|ый|ую} {s.acc}?"],
            ["Кто придумал {s.acc}?", "Кому принадлежит идея {s.gen}?"],
        ),
        ask(
            "year",
            ["В каком году организовали перв{s|ый|ую} {s.acc}?", "Когда был{s||а} создан{s||а} {s}?"],
            ["В каком году придумали {s.acc}?", "Когда родилась идея {s.gen}?"],
        ),
        ask(
            "s",
            ["Какой праздник создал{founder||а} {founder}?", "Что организовал{founder||а} {founder}?"],
            ["Какой праздник придумал{founder||а} {founder}?"],
            given="founder",
        ),
    ),
)

BRIDGES = Domain(
    "Мосты",
    {
        "s": named_by_adjective([noun("мост", "m"), noun("эстакад", "f")], STEMS),
        "river": named_after(_RIVER, (RIVER_NAMES[0], RIVER_NAMES[1])),
        **{"engineer": _person, "built": _late},
        "material": chosen(
            nouns({"m": "гранит бетон мрамор", "f": "бронз", "f-ь": "стал", "n": "дерев"}),
            nouns({"m": "чугун кирпич базальт песчаник"}),
        ),
        **{"length": measured(105, 989, 1, _METRE), "traffic": counted(211, 989, 1, _CAR)},
    },
    facts=(
        said(
            [
                "[s] построен{s||а} инженером [engineer.ins] в [built] году.",
                "В [built] году [engineer] завершил{engineer||а} строительство [s.gen].",
                "Инженер [engineer] построил{engineer||а} [s.acc] в [built] году.",
            ],
            [
                "Строительство [s.gen] под началом [engineer.gen] окончилось в [built] году.",
                "В [built] году по замыслу [engineer.gen] возвели [s.acc].",
            ],
        ),
        said(
            [
                "[s] имеет длину [length.acc] и сделан{s||а} из [material.gen].",
                "Сделанн{s|ый|ая} из [material.gen] [s] имеет в длину [length.acc].",
                "Длина [s.gen] — [length], а материал — [material].",
            ],
            [
                "[s] из [material.gen] протянул{s|ся|ась} на [length.acc].",
                "На [s.acc] длиной [length.acc] ушло много [material.gen].",
            ],
        ),
        said(
            [
                "[s] пересекает [river.acc] и пропускает [traffic] {traffic.count_acc} в день.",
                "Каждый день по [s.dat] через [river.acc] проезжает [traffic] {traffic.count_nom}.",
                "Через [river.acc] ведёт [s], по котор{s|ому|ой} в день проезжает [traffic] {traffic.count_nom}.",
            ],
            [
                "[s] перекинут{s||а} через [river.acc]; за сутки по {s|нему|ней} движется [traffic] {traffic.count_nom}.",
                "За сутки над [river.ins] по [s.dat] проходит [traffic] {traffic.count_nom}.",
            ],
        ),
    ),
    asks=(
        ask(
            "engineer",
            ["Кто построил {s.acc}?", "Какой инженер построил {s.acc}?"],
            ["Под чьим началом шло строительство {s.gen}?", "По чьему замыслу возвели {s.acc}?"],
        ),
        ask(
            "built",
            ["В каком году построен{s||а} {s}?", "Когда завершилось строительство {s.gen}?"],
            ["В каком году возвели {s.acc}?", "Когда окончилось строительство {s.gen}?"],
        ),
        ask(
            "length",
            ["Какова длина {s.gen}?", "Сколько метров в длину имеет {s}?"],
            ["На сколько метров протянул{s|ся|ась} {s}?", "Какой длины {s}?"],
        ),
        ask(
            "material",
            ["Из чего сделан{s||а} {s}?", "Из какого материала сделан{s||а} {s}?"],
            ["Какой материал ушёл на {s.acc}?", "Из какого материала возвели {s.acc}?"],
        ),
        ask(
            "river",
            ["Какую реку пересекает {s}?", "Через какую реку ведёт {s}?"],
            ["Через какую реку перекинут{s||а} {s}?", "Над какой рекой проходит {s}?"],
        ),
        ask(
            "traffic",
            ["Сколько машин проезжает по {s.dat} каждый день?", "Сколько машин в день пропускает {s}?"],
            ["Сколько машин движется по {s.dat} за сутки?", "Сколько машин проходит за сутки по {s.dat}?"],
        ),
        ask(
            "s",
            ["Что построил{engineer||а} {engineer}?", "Какое сооружение построил{engineer||а} {engineer}?"],
            ["Какое сооружение возвели по замыслу {engineer.gen}?"],
            given="engineer",
        ),
    ),
)

SCIENTISTS = Domain(
    "Учёные",
    {
        **{"s": _person, "assistant": _person, "year": _late},
        "mineral": chosen(MINERALS[0], MINERALS[1]),
        "science": chosen(
            nouns({"f": "медицин", "f-и": "ботаник физик", "f-ия": "хими геологи астрономи"}),
            nouns({"f-и": "математик логик", "f-ия": "зоологи анатоми философи"}),
        ),
        "university": named_by_adjective([noun("университет", "m")], STEMS),
        "prize": named_by_adjective([noun("преми", "f-ия"), noun("медал", "f-ь"), noun("приз", "m")], STEMS),
    },
    facts=(
        said(
            [
                "[s] открыл{s||а} минерал [mineral] в [year] году.",
                "Минерал [mineral] был открыт [s.ins] в [year] году.",
                "В [year] году [s] открыл{s||а} минерал под названием [mineral].",
            ],
            [
                "[s] впервые описал{s||а} [mineral.acc] в [year] году.",
                "Первое описание [mineral.gen] [s] опубликовал{s||а} в [year] году.",
            ],
        ),
        said(
            [
                "[s] преподавал{s||а} [science.acc] в [university.prep].",
                "В [university.prep] [s] читал{s||а} курс [science.gen].",
                "Профессор [science.gen] [s] работал{s||а} в [university.prep].",
            ],
            [
                "[s] {s|вёл|вела} занятия по [science.dat] в [university.prep].",
                "Занятия по [science.dat] в [university.prep] проводил{s||а} [s].",
            ],
        ),
        said(
            [
                "[s], котор{s|ому|ой} помогал{assistant||а} [assistant], получил{s||а} [prize.acc].",
                "[prize.Acc] получил{s||а} [s], а {s|его|её} ассистентом был{assistant||а} [assistant].",
                "[assistant] помогал{assistant||а} [s.dat], когда {s|тот получил|та получила} [prize.acc].",
            ],
            [
                "[s] удостоен{s||а} [prize.gen] за труд, в котором участвовал{assistant||а} [assistant].",
                "При участии [assistant.gen] [s] заслужил{s||а} [prize.acc].",
            ],
        ),
    ),
    asks=(
        ask(
            "mineral",
            ["Какой минерал открыл{s||а} {s}?", "Что открыл{s||а} {s}?"],
            ["Какой минерал впервые описал{s||а} {s}?", "Что впервые описал{s||а} {s}?"],
        ),
        ask(
            "year",
            ["В каком году {s} открыл{s||а} минерал?", "Когда {s} открыл{s||а} минерал?"],
            ["В каком году {s} описал{s||а} минерал?", "Когда {s} опубликовал{s||а} описание минерала?"],
        ),
        ask(
            "science",
            ["Какую науку преподавал{s||а} {s}?", "Курс какой науки читал{s||а} {s}?"],
            ["По какой науке {s} {s|вёл|вела} занятия?", "Занятия по какой науке проводил{s||а} {s}?"],
        ),
        ask(
            "university",
            ["Где преподавал{s||а} {s}?", "В каком университете преподавал{s||а} {s}?"],
            ["Где {s} {s|вёл|вела} занятия?", "В каком университете {s} проводил{s||а} занятия?"],
        ),
        ask(
            "prize",
            ["Какую награду получил{s||а} {s}?", "Что получил{s||а} {s}?"],
            ["Какой награды удостоен{s||а} {s}?", "Какую награду заслужил{s||а} {s}?"],
        ),
        ask(
            "assistant",
            ["Кто был ассистентом {s.gen}?", "Кто помогал {s.dat}?"],
            ["Кто участвовал в труде {s.gen}?", "При чьём участии {s} заслужил{s||а} награду?"],
        ),
        ask(
            "s",
            ["Кто открыл минерал {mineral}?", "Кем был открыт минерал {mineral}?"],
            ["Кто впервые описал {mineral.acc}?"],
            given="mineral",
        ),
    ),
)

NOVELS = Domain(
    "Романы",
    {
        "s": chosen(*_NOVEL_TITLES),
        **{"author": _person, "translator": _person, "published": _early, "film": _late},
        **{"setting": _town, "pages": counted(121, 889, 1, _PAGE)},
    },
    facts=(
        said(
            [
                "Роман «[s]» написал{author||а} [author], а напечатан он был в [published] году.",
                "В [published] году писатель{author||ница} [author] выпустил{author||а} роман «[s]».",
                "[author] — автор «[s.gen]», романа, опубликованного в [published] году.",
            ],
            [
                "Роман «[s]», сочинение [author.gen], увидел свет в [published] году.",
                "[author] представил{author||а} читателям «[s.acc]» в [published] году.",
            ],
        ),
        said(
            [
                "Действие романа «[s]», в котором [pages] {pages.count_nom}, происходит в городе [setting.prep].",
                "Действие «[s.gen]» разворачивается в [setting.prep] и занимает [pages] {pages.count_acc}.",
                "Роман «[s]» насчитывает [pages] {pages.count_acc}, а действие его происходит в городе [setting.prep].",
            ],
            [
                "«[s]» — это история города [setting.gen], рассказанная на [pages] {pages.count_prep}.",
                "Герои «[s.gen]» живут в городе [setting.prep], а объём книги — [pages] {pages.count_nom}.",
            ],
        ),
        said(
            [
                "Роман «[s]» {translator|перевёл|перевела} [translator], а в [film] году по нему сняли фильм.",
                "Переводчи{translator|к|ца} «[s.gen]» — [translator]; фильм по роману вышел в [film] году.",
                "Фильм по роману «[s]» сняли в [film] году на основе перевода, который сделал{translator||а} [translator].",
            ],
            [
                "Экранизация «[s.gen]» появилась в [film] году, "
                "а на французский книгу переложил{translator||а} [translator].",
                "Французский текст «[s.gen]» подготовил{translator||а} [translator], "
                "а на экран история попала в [film] году.",
            ],
        ),
    ),
    asks=(
        ask(
            "author",
            ["Кто автор романа «{s}»?", "Кто написал роман «{s}»?"],
            ["Чьё сочинение — роман «{s}»?", "Кто представил читателям «{s.acc}»?"],
        ),
        ask(
            "published",
            ["В каком году был опубликован роман «{s}»?", "Когда напечатали роман «{s}»?"],
            ["В каком году роман «{s}» увидел свет?", "Когда читателям представили «{s.acc}»?"],
        ),
        ask(
            "setting",
            ["Где происходит действие романа «{s}»?", "В каком городе разворачивается действие «{s.gen}»?"],
            ["Где живут герои «{s.gen}»?", "Историю какого города рассказывает «{s}»?"],
        ),
        ask(
            "pages",
            ["Сколько страниц в романе «{s}»?", "Сколько страниц насчитывает роман «{s}»?"],
            ["Каков объём книги «{s}»?", "На скольких страницах рассказана история «{s.gen}»?"],
        ),
        ask(
            "translator",
            ["Кто перевёл роман «{s}»?", "Кто сделал перевод «{s.gen}»?"],
            ["Кто переложил «{s.acc}» на французский?", "Кто подготовил французский текст «{s.gen}»?"],
        ),
        ask(
            "film",
            ["В каком году сняли фильм по роману «{s}»?", "Когда вышел фильм по роману «{s}»?"],
            ["В каком году появилась экранизация «{s.gen}»?", "Когда история «{s.gen}» попала на экран?"],
        ),
        ask(
            "s",
            ["Какой роман написал{author||а} {author}?", "Какой роман выпустил{author||а} {author}?"],
            ["Какое сочинение представил{author||а} читателям {author}?"],
            given="author",
        ),
    ),
)

VOLCANOES = Domain(
    "Вулканы",
    {
        "s": named_by_adjective([_VOLCANO], STEMS),
        **{"climber": _person, "ascent": _early, "town": _town},
        **{"altitude": measured(1211, 5889, 1, _METRE), "eruption": dates(_MONTHS, _DATE, 1911, 1979)},
        "duration": chosen(
            spans_of_time(_WEEK, "две/двух четыре/четырёх шесть/шести восемь/восьми десять/десяти"),
            spans_of_time(_WEEK, "три/трёх пять/пяти семь/семи девять/девяти"),
        ),
    },
    facts=(
        said(
            [
                "[s] имеет высоту [altitude.acc] и находится недалеко от города [town.gen].",
                "Недалеко от [town.gen] [s] поднимается на [altitude.acc].",
                "[s], высота которого — [altitude], возвышается над городом [town.ins].",
            ],
            [
                "Из города [town.gen] виден [s] высотой [altitude.acc].",
                "Вершину [s.gen] на высоте [altitude.gen] видно из города [town.gen].",
            ],
        ),
        said(
            [
                "[climber] совершил{climber||а} первое восхождение на [s.acc] в [ascent] году.",
                "Первое восхождение на [s.acc] — заслуга [climber.gen], и состоялось оно в [ascent] году.",
                "В [ascent] году альпинист{climber||ка} [climber] {climber|первым взошёл|первой взошла} на [s.acc].",
            ],
            ["[climber] покорил{climber||а} [s.acc] в [ascent] году.", "[s] покорился [climber.dat] в [ascent] году."],
        ),
        said(
            [
                "Последнее извержение [s.gen] произошло [eruption] и продолжалось [duration.acc].",
                "Последний раз [s] извергался [eruption], и длилось это [duration.acc].",
                "Извержение, которое [s] пережил [eruption], длилось [duration.acc].",
            ],
            [
                "[s] проснулся [eruption] и не утихал [duration.acc].",
                "Проснувшись [eruption], [s] оставался активным в течение [duration.gen].",
            ],
        ),
    ),
    asks=(
        ask(
            "altitude",
            ["Какова высота {s.gen}?", "Какую высоту имеет {s}?"],
            ["Насколько высок {s}?", "На какой высоте находится вершина {s.gen}?"],
        ),
        ask(
            "town",
            ["Недалеко от какого города находится {s}?", "Над каким городом возвышается {s}?"],
            ["Из какого города виден {s}?", "Откуда видна вершина {s.gen}?"],
        ),
        ask(
            "climber",
            ["Кто совершил первое восхождение на {s.acc}?", "Кто первым взошёл на {s.acc}?"],
            ["Кто покорил {s.acc}?", "Кому покорился {s}?"],
        ),
        ask(
            "ascent",
            ["В каком году состоялось первое восхождение на {s.acc}?", "Когда впервые взошли на {s.acc}?"],
            ["В каком году покорили {s.acc}?", "Когда был покорён {s}?"],
        ),
        ask(
            "eruption",
            ["Когда произошло последнее извержение {s.gen}?", "Какого числа произошло последнее извержение {s.gen}?"],
            ["Когда проснулся {s}?", "Какого числа проснулся {s}?"],
        ),
        ask(
            "duration",
            ["Сколько недель продолжалось извержение {s.gen}?", "Как долго длилось извержение {s.gen}?"],
            ["Сколько недель не утихал {s}?", "Сколько времени {s} оставался активным?"],
        ),
        ask(
            "s",
            [
                "Какой вулкан находится недалеко от города {town.gen}?",
                "Какой вулкан возвышается над городом {town.ins}?",
            ],
            ["Какой вулкан виден из города {town.gen}?"],
            given="town",
        ),
    ),
)

ANIMALS = Domain(
    "Животные",
    {
        "s": named_by_adjective(
            [noun("игуан", "f"), noun("черепах", "f-и"), noun("попуга", "m-й-anim"), noun("варан", "m-anim")],
            STEMS,
            capital=False,
        ),
        "region": named_by_adjective([_VALLEY], STEMS),
        **{"zoologist": _person, "year": _late},
        "food": chosen(
            (
                *nouns({"pl": "банан гриб", "pl-f": "ягод"}),
                irregular("pl", "насекомые, насекомых, насекомым, насекомых, насекомыми, насекомых"),
                irregular("pl", "семена, семян, семенам, семена, семенами, семенах"),
                irregular("pl", "корни, корней, корням, корни, корнями, корнях"),
                irregular("pl", "улитки, улиток, улиткам, улиток, улитками, улитках"),
                irregular("pl", "цветы, цветов, цветам, цветы, цветами, цветах"),
            ),
            (
                *nouns({"pl-и": "орех"}),
                irregular("pl", "муравьи, муравьёв, муравьям, муравьёв, муравьями, муравьях"),
                irregular("pl", "водоросли, водорослей, водорослям, водоросли, водорослями, водорослях"),
                irregular("pl", "черви, червей, червям, червей, червями, червях"),
                irregular("pl", "листья, листьев, листьям, листья, листьями, листьях"),
            ),
        ),
        **{"weight": measured(112, 987, 1, _GRAM), "life": measured(12, 69, 1, _YEAR)},
    },
    facts=(
        said(
            [
                "[s.Nom] обитает в [region.prep] и питается [food.ins].",
                "В [region.prep] [s] ест [food.acc].",
                "Рацион [s.gen], котор{s|ый|ая} обитает в [region.prep], состоит из [food.gen].",
            ],
            [
                "[s.Nom] населяет [region.acc] и поедает [food.acc].",
                "[region.Nom] — дом [s.gen], чей корм — [food].",
            ],
        ),
        said(
            [
                "Зоолог [zoologist] описал{zoologist||а} [s.acc] в [year] году.",
                "[s.Nom] открыт{s||а} [zoologist.ins] в [year] году.",
                "В [year] году зоолог [zoologist] открыл{zoologist||а} [s.acc].",
            ],
            [
                "[zoologist] впервые увидел{zoologist||а} [s.acc] в [year] году.",
                "Честь открытия [s.gen] в [year] году принадлежит [zoologist.dat].",
            ],
        ),
        said(
            [
                "[s.Nom] весит [weight.acc] и живёт [life.acc].",
                "При весе в [weight.acc] [s] живёт [life.acc].",
                "Взросл{s|ый|ая} [s] имеет вес [weight.acc] и живёт до [life.gen].",
            ],
            [
                "Масса [s.gen] — [weight], а срок жизни — [life].",
                "[s.Nom] с массой в [weight.acc] доживает до [life.gen].",
            ],
        ),
    ),
    asks=(
        ask(
            "region",
            ["Где обитает {s}?", "В какой долине обитает {s}?"],
            ["Какую долину населяет {s}?", "Какая долина служит домом {s.dat}?"],
        ),
        ask(
            "food",
            ["Чем питается {s}?", "Что ест {s}?"],
            ["Что поедает {s}?", "Каков корм {s.gen}?"],
        ),
        ask(
            "zoologist",
            ["Кто открыл {s.acc}?", "Какой зоолог описал {s.acc}?"],
            ["Кто впервые увидел {s.acc}?", "Кому принадлежит честь открытия {s.gen}?"],
        ),
        ask(
            "year",
            ["В каком году открыли {s.acc}?", "Когда описали {s.acc}?"],
            ["В каком году впервые увидели {s.acc}?", "Когда произошло открытие {s.gen}?"],
        ),
        ask(
            "weight",
            ["Сколько весит {s}?", "Каков вес {s.gen}?"],
            ["Какова масса {s.gen}?", "Сколько граммов составляет масса {s.gen}?"],
        ),
        ask(
            "life",
            ["Сколько лет живёт {s}?", "Как долго живёт {s}?"],
            ["Каков срок жизни {s.gen}?", "До какого возраста доживает {s}?"],
        ),
        ask(
            "s",
            [
                "Какое животное открыл{zoologist||а} {zoologist}?",
                "Какое животное описал{zoologist||а} {zoologist}?",
            ],
            ["Какое животное впервые увидел{zoologist||а} {zoologist}?"],
            given="zoologist",
        ),
    ),
)

RUSSIAN = Language(
    "ru",
    (MUSEUMS, MUSICIANS, RIVERS, COMPANIES, FESTIVALS, BRIDGES, SCIENTISTS, NOVELS, VOLCANOES, ANIMALS),
    asides=Phrasings(
        (
            "Об этом можно прочитать в путеводителе по краю.",
            "Эти сведения взяты из местного архива.",
            "На эту тему снят документальный фильм.",
        ),
        ("Так сказано в старой летописи.", "Местное радио не раз об этом рассказывало."),
    ),
)
