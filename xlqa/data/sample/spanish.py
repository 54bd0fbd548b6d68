"""The Spanish tables of the sample: other people, places and things than the English ones, and Spanish ways to tell.

Articles, contractions and endings agree through the forms of a value: `{s.El} [s] fue fundad{s.o}`.
"""

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
)

_STEMS = (
    joined(
        ("Tar", "Car", "Mal", "Sol", "Pal", "Nor", "Lam", "Cor"),
        ("vira", "mona", "dela", "rina", "tiga", "loma", "quel", "bal"),
    ),
    joined(("Gua", "Ita", "Chi", "Que", "Yara"), ("pora", "naca", "ndira", "mbal", "rello", "cume")),
)
_TOWNS = (
    joined(("Villa ", "Puerto ", "Monte ", "Fuente "), ("Alondra", "Jazmín", "Clavel", "Romero", "Coral", "Zafiro")),
    joined(("San ", "Valle ", "Torre "), ("Lirio", "Nácar", "Tomillo", "Ámbar", "Cierzo", "Espliego")),
)
_WOMEN = (
    ("Elena", "Carmen", "Lucía", "Marta", "Inés", "Sofía", "Beatriz", "Rosa", "Julia", "Teresa"),
    ("Amalia", "Nuria", "Victoria", "Leonor", "Gloria", "Alicia"),
)
_MEN = (
    ("Andrés", "Tomás", "Ramón", "Diego", "Julio", "Hugo", "Pablo", "Ernesto", "Bruno", "Mateo"),
    ("Gonzalo", "Esteban", "Rafael", "Ignacio", "Simón", "Álvaro"),
)
_FAMILIES = (
    (
        *("Olmedo", "Larrea", "Cifuentes", "Barroso", "Quintana", "Salcedo", "Peralta", "Urrutia", "Montalvo", "Arroyo"),
        *("Bermejo", "Carranza", "Escobedo", "Galarza", "Iriarte", "Ledesma", "Mendieta", "Novoa", "Pizarro", "Robledo"),
    ),
    ("Tejada", "Valdivia", "Zamorano", "Aldana", "Bustos", "Cordero", "Echeverri", "Fuentes", "Hinojosa", "Luján"),
)
_MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
_DATE = "{day} de {month} de {year}"

_MINERALS = tuple(tuple(f"{stem.rstrip('aeo')}ita".lower() for stem in stems) for stems in _STEMS)


def _titles(
    masculine: tuple[str, ...], feminine: tuple[str, ...], adjectives: tuple[str, ...]
) -> tuple[str, ...]:
    """Titles of novels: article, noun and an adjective (given without its last letter) that agrees."""
    titles = [f"El {noun} {adjective}o" for noun in masculine for adjective in adjectives]
    return (*titles, *(f"La {noun} {adjective}a" for noun in feminine for adjective in adjectives))


_NOVEL_TITLES = (
    _titles(
        ("jardín", "bosque", "espejo", "faro", "camino"),
        ("carta", "ventana", "casa", "isla", "noche"),
        ("silencios", "dorad", "perdid", "lejan", "oscur"),
    ),
    _titles(("reloj", "viaje", "desierto"), ("torre", "escalera", "orquesta"), ("pintad", "quemad", "solitari")),
)

_person = people(_WOMEN, _MEN, _FAMILIES)
_town = listed(*_TOWNS)
_early = numbers(1842, 1909, 1)
_late = numbers(1911, 1989, 1)

MUSEUMS = Domain(
    "Museos",
    {
        "s": named([("Museo {}", False), ("Galería {}", True)], _STEMS),
        **{"architect": _person, "director": _person, "opened": _early, "restored": _late},
        **{"town": _town, "works": numbers(110, 980, 10)},
    },
    facts=(
        said(
            [
                "{s.El} [s] fue diseñad{s.o} por [architect] y se inauguró en [opened].",
                "Inaugurad{s.o} en [opened], {s.el} [s] es obra {architect.del} arquitect{architect.o} [architect].",
                "{architect.El} arquitect{architect.o} [architect] diseñó {s.el} [s], que se inauguró en [opened].",
            ],
            [
                "Los planos {s.del} [s] son de [architect], y el público entró por primera vez en [opened].",
                "En [opened] abrió sus puertas {s.el} [s], según un proyecto de [architect].",
            ],
        ),
        said(
            [
                "{s.El} [s] está en el centro de [town] y tiene una colección de [works] pinturas.",
                "Una colección de [works] pinturas se conserva en {s.el} [s], en [town].",
                "En [town], {s.el} [s] tiene [works] pinturas.",
            ],
            [
                "{s.El} [s] se encuentra en [town], donde expone [works] pinturas.",
                "Con sus [works] pinturas, {s.el} [s] es el orgullo de [town].",
            ],
        ),
        said(
            [
                "{s.El} [s] fue restaurad{s.o} en [restored] bajo la dirección de [director].",
                "{director.El} director{director.a} {s.del} [s] fue [director], y el edificio se restauró en [restored].",
                "{s.El} [s], restaurad{s.o} en [restored], tuvo como director{director.a} a [director].",
            ],
            [
                "Con [director] al frente, {s.el} [s] fue reparad{s.o} en [restored].",
                "Las obras de reparación {s.del} [s] terminaron en [restored], cuando llegó a la dirección [director].",
            ],
        ),
    ),
    asks=(
        ask(
            "architect",
            [
                "¿Quién diseñó {s.el} {s}?",
                "¿Qué arquitect{architect.o} diseñó {s.el} {s}?",
                "¿Quién fue {architect.el} arquitect{architect.o} {s.del} {s}?",
            ],
            [
                "¿De quién son los planos {s.del} {s}?",
                "¿Cómo se llamaba {architect.el} arquitect{architect.o} {s.del} {s}?",
            ],
        ),
        ask(
            "opened",
            ["¿En qué año se inauguró {s.el} {s}?", "¿Cuándo fue inaugurad{s.o} {s.el} {s}?"],
            ["¿En qué año abrió sus puertas {s.el} {s}?", "¿Cuándo entró el público en {s.el} {s}?"],
        ),
        ask(
            "town",
            ["¿Dónde está {s.el} {s}?", "¿En qué ciudad está {s.el} {s}?"],
            ["¿Dónde se encuentra {s.el} {s}?", "¿Qué ciudad alberga {s.el} {s}?"],
        ),
        ask(
            "works",
            ["¿Cuántas pinturas tiene {s.el} {s}?", "¿Cuántas pinturas hay en la colección {s.del} {s}?"],
            ["¿Cuántas pinturas expone {s.el} {s}?", "¿Qué número de pinturas posee {s.el} {s}?"],
        ),
        ask(
            "restored",
            ["¿En qué año fue restaurad{s.o} {s.el} {s}?", "¿Cuándo fue la restauración {s.del} {s}?"],
            ["¿En qué año fue reparad{s.o} {s.el} {s}?", "¿Cuándo se hicieron las obras {s.del} {s}?"],
        ),
        ask(
            "director",
            [
                "¿Quién fue {director.el} director{director.a} {s.del} {s}?",
                "¿Qué director{director.a} tuvo {s.el} {s}?",
            ],
            [
                "¿Quién estuvo al frente {s.del} {s}?",
                "¿Cómo se llamaba {director.el} director{director.a} {s.del} {s}?",
            ],
        ),
        ask(
            "s",
            ["¿Qué edificio diseñó {architect}?", "¿Qué diseñó {architect}?"],
            ["¿De qué edificio trazó los planos {architect}?"],
            given="architect",
        ),
    ),
)

MUSICIANS = Domain(
    "Músicos",
    {
        **{"s": _person, "teacher": _person, "birthplace": _town, "stage": _town},
        **{"born": dates(_MONTHS, _DATE, 1861, 1889), "debut": dates(_MONTHS, _DATE, 1901, 1914)},
        "instrument": listed(
            ["piano", "guitarra", "violín", "trompeta", "flauta", "clarinete", "saxofón", "mandolina"],
            ["acordeón", "viola", "oboe", "tuba", "trombón"],
            feminine=["guitarra", "trompeta", "flauta", "mandolina", "viola", "tuba"],
        ),
    },
    facts=(
        said(
            [
                "[s] nació en [birthplace] el [born].",
                "En [birthplace] nació [s] el [born].",
                "{s.El} músic{s.o} [s], natural de [birthplace], nació el [born].",
            ],
            [
                "El [born] vino al mundo [s] en [birthplace].",
                "[s] vio la luz en [birthplace] el [born].",
            ],
        ),
        said(
            [
                "[s] estudió {instrument.el} [instrument] con {teacher.el} profesor{teacher.a} [teacher].",
                "{teacher.El} profesor{teacher.a} [teacher] enseñó a [s] a tocar {instrument.el} [instrument].",
                "Alumn{s.o} {teacher.del} profesor{teacher.a} [teacher], [s] tocaba {instrument.el} [instrument].",
            ],
            [
                "{instrument.El} [instrument] fue el instrumento de [s], que recibió clases de [teacher].",
                "De [teacher] aprendió [s] los secretos {instrument.del} [instrument].",
            ],
        ),
        said(
            [
                "[s] dio su primer concierto en [stage] el [debut].",
                "El primer concierto de [s] fue en [stage] el [debut].",
                "El [debut], [s] presentó su primer concierto en la ópera de [stage].",
            ],
            [
                "El debut de [s] tuvo lugar en [stage] el [debut].",
                "El público de [stage] escuchó por primera vez a [s] el [debut].",
            ],
        ),
    ),
    asks=(
        ask(
            "birthplace",
            ["¿Dónde nació {s}?", "¿En qué ciudad nació {s}?"],
            ["¿Cuál es la ciudad natal de {s}?", "¿De dónde era natural {s}?"],
        ),
        ask(
            "born",
            ["¿Cuándo nació {s}?", "¿En qué fecha nació {s}?"],
            ["¿Cuál es la fecha de nacimiento de {s}?", "¿Qué día vino al mundo {s}?"],
        ),
        ask(
            "teacher",
            [
                "¿Quién enseñó a tocar a {s}?",
                "¿Con qué profesor{teacher.a} estudió {s}?",
                "¿Quién fue {teacher.el} profesor{teacher.a} de {s}?",
            ],
            ["¿De quién recibió clases {s}?", "¿Con quién aprendió {s}?"],
        ),
        ask(
            "instrument",
            ["¿Qué instrumento tocaba {s}?", "¿Qué instrumento estudió {s}?"],
            ["¿Cuál era el instrumento de {s}?", "¿Qué aprendió a tocar {s}?"],
        ),
        ask(
            "stage",
            ["¿Dónde dio {s} su primer concierto?", "¿En qué ciudad presentó {s} su primer concierto?"],
            ["¿Dónde fue el debut de {s}?", "¿En qué ciudad debutó {s}?"],
        ),
        ask(
            "debut",
            ["¿Cuándo dio {s} su primer concierto?", "¿En qué fecha fue el primer concierto de {s}?"],
            ["¿Cuándo fue el debut de {s}?", "¿Qué día escuchó el público a {s}?"],
        ),
        ask(
            "s",
            ["¿Quién estudió con {teacher}?", "¿Qué músic{s.o} fue alumn{s.o} de {teacher}?"],
            ["¿Quién recibió clases de {teacher}?"],
            given="teacher",
        ),
    ),
)

RIVERS = Domain(
    "Ríos",
    {
        "s": named([("río {}", False)], _STEMS),
        "source": named([("lago {}", False)], _STEMS),
        **{"explorer": _person, "year": _early, "town": _town},
        **{"length": numbers(90, 890, 10, "kilómetros"), "depth": numbers(3, 29, 1, "metros")},
    },
    facts=(
        said(
            [
                "{s.El} [s] tiene su origen en el [source] y una longitud de [length].",
                "Desde su origen en el [source], {s.el} [s] recorre [length].",
                "Con una longitud de [length], {s.el} [s] tiene su origen en el [source].",
            ],
            [
                "{s.El} [s] nace en el [source] y mide [length].",
                "A lo largo de [length], {s.el} [s] lleva al mar el agua del [source].",
            ],
        ),
        said(
            [
                "{s.El} [s] fue explorado por {explorer.el} capit{explorer.án} [explorer] en [year].",
                "En [year], {explorer.el} explorador{explorer.a} [explorer] hizo un mapa {s.del} [s].",
                "[explorer] organizó en [year] una expedición para explorar {s.el} [s].",
            ],
            [
                "En [year], [explorer] navegó {s.el} [s] de principio a fin en una canoa.",
                "La primera carta {s.del} [s] la dibujó [explorer] en [year].",
            ],
        ),
        said(
            [
                "{s.El} [s] pasa por [town], donde tiene una profundidad de [depth].",
                "En [town], {s.el} [s] tiene una profundidad de [depth].",
                "{s.El} [s], con una profundidad de [depth], tiene su principal puerto en [town].",
            ],
            [
                "{s.El} [s] atraviesa [town], y allí alcanza [depth] de hondo.",
                "Cuando llega a [town], {s.el} [s] ya alcanza [depth] de fondo.",
            ],
        ),
    ),
    asks=(
        ask(
            "source",
            ["¿Dónde tiene su origen {s.el} {s}?", "¿En qué lago tiene su origen {s.el} {s}?"],
            ["¿Dónde nace {s.el} {s}?", "¿De dónde procede el agua {s.del} {s}?"],
        ),
        ask(
            "length",
            ["¿Cuál es la longitud {s.del} {s}?", "¿Cuántos kilómetros recorre {s.el} {s}?"],
            ["¿Cuánto mide {s.el} {s}?", "¿Qué largo tiene {s.el} {s}?"],
        ),
        ask(
            "explorer",
            ["¿Quién exploró {s.el} {s}?", "¿Qué explorador{explorer.a} hizo un mapa {s.del} {s}?"],
            ["¿Quién navegó {s.el} {s}?", "¿Quién dibujó la carta {s.del} {s}?"],
        ),
        ask(
            "year",
            ["¿En qué año fue explorado {s.el} {s}?", "¿Cuándo fue la expedición {s.al} {s}?"],
            ["¿En qué año se navegó {s.el} {s}?", "¿Cuándo se dibujó una carta {s.del} {s}?"],
        ),
        ask(
            "town",
            ["¿Por qué ciudad pasa {s.el} {s}?", "¿Dónde está el principal puerto {s.del} {s}?"],
            ["¿Qué ciudad atraviesa {s.el} {s}?", "¿A qué ciudad llega {s.el} {s}?"],
        ),
        ask(
            "depth",
            ["¿Cuál es la profundidad {s.del} {s}?", "¿Cuántos metros de profundidad tiene {s.el} {s}?"],
            ["¿Cuánto fondo tiene {s.el} {s}?", "¿Cuántos metros de fondo alcanza {s.el} {s}?"],
        ),
        ask(
            "s",
            ["¿Qué río exploró {explorer}?", "¿Qué río fue explorado por {explorer}?"],
            ["¿Qué río recorrió {explorer}?"],
            given="explorer",
        ),
    ),
)

COMPANIES = Domain(
    "Empresas",
    {
        "s": named([("Compañía {}", True), ("Taller {}", False)], _STEMS),
        **{"founder": _person, "president": _person, "founded": _early, "town": _town},
        "product": listed(
            ["chocolate", "bicicletas", "perfume", "microscopios", "lámparas", "algodón", "papel", "cerámica"],
            ["telescopios", "café", "mermelada", "velas", "relojes"],
        ),
        "employees": numbers(120, 990, 5),
    },
    facts=(
        said(
            [
                "{s.El} [s] fue fundad{s.o} por [founder] en [founded].",
                "En [founded], [founder] fundó {s.el} [s].",
                "[founder] estableció {s.el} [s] en [founded].",
            ],
            [
                "{s.El} [s] debe su existencia a [founder], que {s.lo} puso en marcha en [founded].",
                "Puest{s.o} en marcha en [founded], {s.el} [s] fue idea de [founder].",
            ],
        ),
        said(
            [
                "{s.El} [s] produce [product] en [town].",
                "En su fábrica de [town], {s.el} [s] produce [product].",
                "[town] es la sede {s.del} [s], que produce [product].",
            ],
            [
                "{s.El} [s] elabora [product] en una planta de [town].",
                "Desde [town], {s.el} [s] vende [product] a todo el país.",
            ],
        ),
        said(
            [
                "{president.El} president{president.e} {s.del} [s] es [president], y la empresa tiene [employees] empleados.",
                "{s.El} [s] tiene [employees] empleados y su president{president.e} es [president].",
                "Con [employees] empleados, {s.el} [s] eligió como president{president.e} a [president].",
            ],
            [
                "Hoy {s.el} [s] da trabajo a [employees] personas y [president] está al mando.",
                "Al mando {s.del} [s], [president] dirige a [employees] trabajadores.",
            ],
        ),
    ),
    asks=(
        ask(
            "founder",
            ["¿Quién fundó {s.el} {s}?", "¿Quién fue {founder.el} fundador{founder.a} {s.del} {s}?"],
            ["¿Quién puso en marcha {s.el} {s}?", "¿A quién debe su existencia {s.el} {s}?"],
        ),
        ask(
            "founded",
            ["¿En qué año fue fundad{s.o} {s.el} {s}?", "¿Cuándo se estableció {s.el} {s}?"],
            ["¿En qué año se puso en marcha {s.el} {s}?", "¿Cuándo fue cread{s.o} {s.el} {s}?"],
        ),
        ask(
            "product",
            ["¿Qué produce {s.el} {s}?", "¿Qué producto fabrica {s.el} {s}?"],
            ["¿Qué elabora {s.el} {s}?", "¿Qué vende {s.el} {s}?"],
        ),
        ask(
            "town",
            ["¿Dónde está la fábrica {s.del} {s}?", "¿En qué ciudad está {s.el} {s}?"],
            ["¿Dónde tiene su planta {s.el} {s}?", "¿Qué ciudad es la sede {s.del} {s}?"],
        ),
        ask(
            "president",
            [
                "¿Quién es {president.el} president{president.e} {s.del} {s}?",
                "¿Qué president{president.e} tiene {s.el} {s}?",
            ],
            ["¿Quién está al mando {s.del} {s}?", "¿Quién dirige {s.el} {s}?"],
        ),
        ask(
            "employees",
            ["¿Cuántos empleados tiene {s.el} {s}?", "¿Cuál es el número de empleados {s.del} {s}?"],
            ["¿A cuántas personas da trabajo {s.el} {s}?", "¿Cuántos trabajadores hay en {s.el} {s}?"],
        ),
        ask(
            "s",
            ["¿Qué empresa produce {product}?", "¿Qué empresa fabrica {product}?"],
            ["¿Qué empresa elabora {product}?"],
            given="product",
        ),
    ),
)

FESTIVALS = Domain(
    "Fiestas",
    {
        "s": named([("Festival {}", False), ("Feria {}", True)], _STEMS),
        **{"founder": _person, "year": _late, "town": _town},
        "month": listed(_MONTHS[:8], _MONTHS[8:]),
        "dish": listed(
            ["sopa de tomate", "tarta de limón", "arroz con azafrán", "pollo asado", "ensalada de patata", "crema de cacao"],
            ["empanada de cebolla", "flan de ciruela", "pan de miel", "guiso de lentejas", "atún con aceitunas"],
            feminine=["sopa de tomate", "tarta de limón", "ensalada de patata", "crema de cacao", "empanada de cebolla"],
            unique=0,
        ),
        "duration": listed(
            ["tres días", "cinco días", "siete días", "nueve días", "diez días"],
            ["cuatro días", "seis días", "ocho días", "doce días"],
            unique=0,
        ),
    },
    facts=(
        said(
            [
                "{s.El} [s] se celebra en [town] en el mes de [month].",
                "En [month], [town] celebra {s.el} [s].",
                "Los habitantes de [town] celebran {s.el} [s] en [month].",
            ],
            [
                "Cada año, [month] trae a [town] {s.el} [s].",
                "Las calles de [town] se llenan en [month] con {s.el} [s].",
            ],
        ),
        said(
            [
                "{s.El} [s] tiene una duración de [duration], y su plato típico es {dish.el} [dish].",
                "En {s.el} [s], que tiene una duración de [duration], se come [dish].",
                "El plato típico {s.del} [s] es {dish.el} [dish], y la celebración dura [duration].",
            ],
            [
                "Durante [duration], {s.el} [s] ofrece [dish] a sus invitados.",
                "Quien va {s.al} [s] prueba {dish.el} [dish] y baila durante [duration].",
            ],
        ),
        said(
            [
                "{s.El} [s] fue cread{s.o} por {founder.el} bailar{founder.ín} [founder] en [year].",
                "En [year], {founder.el} poeta [founder] organizó {s.el} {s.primer} [s].",
                "{s.El} {s.primer} [s] fue organizad{s.o} por [founder] en [year].",
            ],
            [
                "La idea {s.del} [s] la tuvo [founder] en [year].",
                "{s.El} [s] se remonta a [founder] y al año [year].",
            ],
        ),
    ),
    asks=(
        ask(
            "town",
            ["¿Dónde se celebra {s.el} {s}?", "¿En qué ciudad se celebra {s.el} {s}?"],
            ["¿Dónde tiene lugar {s.el} {s}?", "¿Las calles de qué ciudad llena {s.el} {s}?"],
        ),
        ask(
            "month",
            ["¿En qué mes se celebra {s.el} {s}?", "¿Cuándo se celebra {s.el} {s}?"],
            ["¿Qué mes trae {s.el} {s}?", "¿Cuándo tiene lugar {s.el} {s}?"],
        ),
        ask(
            "dish",
            ["¿Cuál es el plato típico {s.del} {s}?", "¿Qué se come en {s.el} {s}?"],
            ["¿Qué ofrece {s.el} {s} a sus invitados?", "¿Qué se prueba en {s.el} {s}?"],
        ),
        ask(
            "duration",
            ["¿Cuál es la duración {s.del} {s}?", "¿Cuántos días dura {s.el} {s}?"],
            ["¿Durante cuántos días se baila en {s.el} {s}?", "¿Cuánto tiempo dura {s.el} {s}?"],
        ),
        ask(
            "founder",
            ["¿Quién creó {s.el} {s}?", "¿Quién organizó {s.el} {s.primer} {s}?"],
            ["¿De quién fue la idea {s.del} {s}?", "¿A quién se remonta {s.el} {s}?"],
        ),
        ask(
            "year",
            ["¿En qué año se organizó {s.el} {s.primer} {s}?", "¿Cuándo fue cread{s.o} {s.el} {s}?"],
            ["¿A qué año se remonta {s.el} {s}?", "¿Cuándo surgió la idea {s.del} {s}?"],
        ),
        ask(
            "s",
            ["¿Qué celebración creó {founder}?", "¿Qué organizó {founder}?"],
            ["¿De qué celebración tuvo la idea {founder}?"],
            given="founder",
        ),
    ),
)

BRIDGES = Domain(
    "Puentes",
    {
        "s": named([("Puente {}", False), ("Pasarela {}", True)], _STEMS),
        "river": named([("río {}", False)], _STEMS),
        **{"engineer": _person, "built": _late},
        "material": listed(
            ["granito", "acero", "cemento", "mármol", "bronce", "madera"], ["hierro", "ladrillo", "pizarra", "cedro"]
        ),
        **{"length": numbers(105, 985, 5, "metros"), "traffic": numbers(210, 990, 10)},
    },
    facts=(
        said(
            [
                "{s.El} [s] fue construid{s.o} por {engineer.el} ingenier{engineer.o} [engineer] en [built].",
                "En [built], [engineer] completó la construcción {s.del} [s].",
                "{engineer.El} ingenier{engineer.o} [engineer] construyó {s.el} [s] en [built].",
            ],
            [
                "Las obras {s.del} [s] acabaron en [built], con [engineer] al mando.",
                "[engineer] levantó {s.el} [s], que quedó list{s.o} en [built].",
            ],
        ),
        said(
            [
                "{s.El} [s] tiene una longitud de [length] y es de [material].",
                "Hech{s.o} de [material], {s.el} [s] tiene una longitud de [length].",
                "La estructura {s.del} [s] es de [material], con una longitud total de [length].",
            ],
            [
                "{s.El} [s] mide [length] de punta a punta y se levantó con [material].",
                "Obra de [material], {s.el} [s] se extiende a lo largo de [length].",
            ],
        ),
        said(
            [
                "{s.El} [s] cruza el [river] con un tráfico de [traffic] vehículos al día.",
                "Cada día, [traffic] vehículos cruzan el [river] por {s.el} [s].",
                "Con un tráfico diario de [traffic] vehículos, {s.el} [s] cruza el [river].",
            ],
            [
                "{s.El} [s] salva el [river] y soporta el paso de [traffic] automóviles al día.",
                "Unos [traffic] automóviles toman a diario {s.el} [s] para pasar el [river].",
            ],
        ),
    ),
    asks=(
        ask(
            "engineer",
            ["¿Quién construyó {s.el} {s}?", "¿Qué ingenier{engineer.o} construyó {s.el} {s}?"],
            [
                "¿Quién levantó {s.el} {s}?",
                "¿Cómo se llamaba {engineer.el} ingenier{engineer.o} {s.del} {s}?",
            ],
        ),
        ask(
            "built",
            ["¿En qué año fue construid{s.o} {s.el} {s}?", "¿Cuándo se completó la construcción {s.del} {s}?"],
            ["¿En qué año quedó list{s.o} {s.el} {s}?", "¿Cuándo acabaron las obras {s.del} {s}?"],
        ),
        ask(
            "length",
            ["¿Cuál es la longitud {s.del} {s}?", "¿Cuántos metros de longitud tiene {s.el} {s}?"],
            ["¿Cuánto mide {s.el} {s}?", "¿Qué largo tiene {s.el} {s}?"],
        ),
        ask(
            "material",
            ["¿De qué material es {s.el} {s}?", "¿De qué está hech{s.o} {s.el} {s}?"],
            ["¿Con qué se levantó {s.el} {s}?", "¿Qué material se empleó en {s.el} {s}?"],
        ),
        ask(
            "river",
            ["¿Qué río cruza {s.el} {s}?", "¿Qué cruza {s.el} {s}?"],
            ["¿Qué salva {s.el} {s}?", "¿Qué río se pasa por {s.el} {s}?"],
        ),
        ask(
            "traffic",
            ["¿Cuántos vehículos usan {s.el} {s} al día?", "¿Cuántos vehículos cruzan {s.el} {s} cada día?"],
            ["¿Cuántos automóviles toman {s.el} {s}?", "¿Qué número de automóviles soporta {s.el} {s}?"],
        ),
        ask(
            "s",
            ["¿Qué construcción completó {engineer}?", "¿Qué construyó {engineer}?"],
            ["¿Qué levantó {engineer}?"],
            given="engineer",
        ),
    ),
)

SCIENTISTS = Domain(
    "Científicos",
    {
        **{"s": _person, "assistant": _person, "year": _late},
        "mineral": listed(*_MINERALS),
        "science": listed(
            ["química", "botánica", "física", "geología", "astronomía", "medicina"],
            ["zoología", "anatomía", "matemáticas", "filosofía"],
        ),
        "university": named([("Universidad de {}", True)], _TOWNS),
        "prize": named([("Premio {}", False), ("Medalla {}", True)], _STEMS),
    },
    facts=(
        said(
            [
                "[s] descubrió el mineral [mineral] en [year].",
                "El mineral [mineral] fue descubierto por [s] en [year].",
                "En [year], [s] descubrió un mineral llamado [mineral].",
            ],
            [
                "Fue [s] quien halló la [mineral] en [year].",
                "El hallazgo de la [mineral] en [year] dio fama a [s].",
            ],
        ),
        said(
            [
                "[s] fue profesor{s.a} de [science] en la [university].",
                "En la [university], [s] enseñó [science].",
                "Profesor{s.a} de la [university], [s] dio cursos de [science].",
            ],
            [
                "[s] ocupó la cátedra de [science] de la [university].",
                "Los estudiantes de la [university] aprendieron [science] con [s].",
            ],
        ),
        said(
            [
                "Con la ayuda de [assistant], [s] recibió {prize.el} [prize].",
                "[s], que tenía como asistente a [assistant], recibió {prize.el} [prize].",
                "{prize.El} [prize] fue para [s], que tenía a [assistant] como asistente.",
            ],
            [
                "{prize.El} [prize] distinguió a [s], mientras [assistant] colaboraba en el laboratorio.",
                "Gracias al apoyo de [assistant], [s] ganó {prize.el} [prize].",
            ],
        ),
    ),
    asks=(
        ask(
            "mineral",
            ["¿Qué mineral descubrió {s}?", "¿Qué descubrió {s}?"],
            ["¿Qué halló {s}?", "¿Qué mineral dio fama a {s}?"],
        ),
        ask(
            "year",
            ["¿En qué año descubrió {s} un mineral?", "¿Cuándo fue el descubrimiento de {s}?"],
            ["¿En qué año halló {s} un mineral?", "¿Cuándo fue el hallazgo de {s}?"],
        ),
        ask(
            "science",
            ["¿Qué ciencia enseñó {s}?", "¿De qué ciencia fue profesor{s.a} {s}?"],
            ["¿De qué ciencia ocupó {s} la cátedra?", "¿Qué se aprendía con {s}?"],
        ),
        ask(
            "university",
            ["¿En qué universidad fue profesor{s.a} {s}?", "¿Dónde enseñó {s}?"],
            ["¿Dónde ocupó una cátedra {s}?", "¿Los estudiantes de qué universidad tuvieron clases con {s}?"],
        ),
        ask(
            "prize",
            ["¿Qué premio recibió {s}?", "¿Qué recibió {s}?"],
            ["¿Qué distinción ganó {s}?", "¿Qué galardón distinguió a {s}?"],
        ),
        ask(
            "assistant",
            ["¿Quién fue asistente de {s}?", "¿A quién tenía {s} como asistente?"],
            ["¿Quién colaboraba con {s} en el laboratorio?", "¿Quién apoyó a {s}?"],
        ),
        ask(
            "s",
            ["¿Quién descubrió el mineral {mineral}?", "¿Por quién fue descubierto el mineral {mineral}?"],
            ["¿Quién halló la {mineral}?"],
            given="mineral",
        ),
    ),
)

NOVELS = Domain(
    "Novelas",
    {
        "s": listed(*_NOVEL_TITLES, unique=1),
        **{"author": _person, "translator": _person, "published": _early, "film": _late},
        **{"setting": _town, "pages": numbers(120, 890, 2)},
    },
    facts=(
        said(
            [
                "La novela «[s]» fue escrita por [author] y publicada en [published].",
                "En [published], {author.el} autor{author.a} [author] publicó la novela «[s]».",
                "[author] es {author.el} autor{author.a} de «[s]», novela publicada en [published].",
            ],
            [
                "De la pluma de [author] salió «[s]», obra impresa en [published].",
                "Los lectores conocieron «[s]», un relato de [author], en [published].",
            ],
        ),
        said(
            [
                "La acción de «[s]» transcurre en [setting] y ocupa [pages] páginas.",
                "La novela «[s]», con su acción en [setting], tiene [pages] páginas.",
                "Con [pages] páginas, la novela «[s]» sitúa su acción en [setting].",
            ],
            [
                "«[s]» cuenta en [pages] páginas una historia de [setting].",
                "Una familia de [setting] llena las [pages] páginas de «[s]».",
            ],
        ),
        said(
            [
                "{translator.El} traductor{translator.a} de «[s]» fue [translator], y la película se produjo en [film].",
                "La novela «[s]», traducida por [translator], inspiró una película en [film].",
                "En [film] se produjo una película de «[s]», según la traducción de [translator].",
            ],
            [
                "«[s]» llegó a otros países gracias a [translator], y a la pantalla en [film].",
                "En [film] se rodó «[s]», que [translator] había vertido al francés.",
            ],
        ),
    ),
    asks=(
        ask(
            "author",
            [
                "¿Quién es {author.el} autor{author.a} de «{s}»?",
                "¿Quién escribió la novela «{s}»?",
            ],
            ["¿De qué pluma salió «{s}»?", "¿De quién es el relato «{s}»?"],
        ),
        ask(
            "published",
            ["¿En qué año fue publicada «{s}»?", "¿Cuándo se publicó «{s}»?"],
            ["¿En qué año se imprimió «{s}»?", "¿Cuándo conocieron los lectores «{s}»?"],
        ),
        ask(
            "setting",
            ["¿Dónde transcurre la acción de «{s}»?", "¿En qué ciudad transcurre la acción de «{s}»?"],
            ["¿De dónde es la familia de «{s}»?", "¿De qué ciudad cuenta «{s}» una historia?"],
        ),
        ask(
            "pages",
            ["¿Cuántas páginas tiene «{s}»?", "¿Cuál es el número de páginas de «{s}»?"],
            ["¿Cuántas páginas llena «{s}»?", "¿Qué extensión tiene «{s}», en páginas?"],
        ),
        ask(
            "translator",
            [
                "¿Quién fue {translator.el} traductor{translator.a} de «{s}»?",
                "¿Quién tradujo «{s}»?",
            ],
            ["¿Quién vertió «{s}» al francés?", "¿Gracias a quién llegó «{s}» a otros países?"],
        ),
        ask(
            "film",
            ["¿En qué año inspiró «{s}» una película?", "¿Cuándo se produjo la película de «{s}»?"],
            ["¿En qué año llegó «{s}» a la pantalla?", "¿Cuándo se rodó «{s}»?"],
        ),
        ask(
            "s",
            ["¿Qué novela publicó {author}?", "¿Qué novela fue escrita por {author}?"],
            ["¿Qué relato salió de la pluma de {author}?"],
            given="author",
        ),
    ),
)

VOLCANOES = Domain(
    "Volcanes",
    {
        "s": named([("volcán {}", False)], _STEMS),
        **{"climber": _person, "ascent": _early, "town": _town},
        **{"altitude": numbers(1210, 5890, 10, "metros"), "eruption": dates(_MONTHS, _DATE, 1911, 1979)},
        "duration": listed(
            ["dos semanas", "cuatro semanas", "seis semanas", "ocho semanas", "diez semanas"],
            ["tres semanas", "cinco semanas", "siete semanas", "nueve semanas"],
            unique=0,
        ),
    },
    facts=(
        said(
            [
                "{s.El} [s] tiene una altitud de [altitude] y está cerca de [town].",
                "Cerca de [town], {s.el} [s] alcanza una altitud de [altitude].",
                "{s.El} [s], con una altitud de [altitude], domina la ciudad de [town].",
            ],
            [
                "{s.El} [s] mide [altitude] de alto y se ve desde [town].",
                "Desde [town] se contempla {s.el} [s], un cono de [altitude].",
            ],
        ),
        said(
            [
                "[climber] hizo la primera ascensión {s.al} [s] en [ascent].",
                "La primera ascensión {s.al} [s] fue obra de [climber] en [ascent].",
                "En [ascent], {climber.el} alpinista [climber] hizo la primera ascensión {s.al} [s].",
            ],
            [
                "[climber] pisó por primera vez la cumbre {s.del} [s] en [ascent].",
                "Nadie había subido {s.al} [s] antes de que [climber] lo hiciera en [ascent].",
            ],
        ),
        said(
            [
                "La última erupción {s.del} [s] ocurrió el [eruption] y tuvo una duración de [duration].",
                "El [eruption], {s.el} [s] tuvo una erupción con una duración de [duration].",
                "Con una duración de [duration], la última erupción {s.del} [s] comenzó el [eruption].",
            ],
            [
                "El [eruption], {s.el} [s] empezó a lanzar ceniza, y lo hizo durante [duration].",
                "Durante [duration], a partir del [eruption], corrió la lava por {s.el} [s].",
            ],
        ),
    ),
    asks=(
        ask(
            "altitude",
            ["¿Cuál es la altitud {s.del} {s}?", "¿Qué altitud alcanza {s.el} {s}?"],
            ["¿Cuánto mide {s.el} {s}?", "¿Qué altura tiene {s.el} {s}?"],
        ),
        ask(
            "town",
            ["¿Cerca de qué ciudad está {s.el} {s}?", "¿Qué ciudad domina {s.el} {s}?"],
            ["¿Desde dónde se ve {s.el} {s}?", "¿Desde qué ciudad se contempla {s.el} {s}?"],
        ),
        ask(
            "climber",
            ["¿Quién hizo la primera ascensión {s.al} {s}?", "¿Qué alpinista hizo la primera ascensión {s.al} {s}?"],
            ["¿Quién pisó la cumbre {s.del} {s}?", "¿Quién subió antes que nadie {s.al} {s}?"],
        ),
        ask(
            "ascent",
            ["¿En qué año fue la primera ascensión {s.al} {s}?", "¿Cuándo se hizo la primera ascensión {s.al} {s}?"],
            ["¿En qué año subió alguien {s.al} {s}?", "¿Cuándo se pisó la cumbre {s.del} {s}?"],
        ),
        ask(
            "eruption",
            ["¿En qué fecha ocurrió la última erupción {s.del} {s}?", "¿Cuándo fue la última erupción {s.del} {s}?"],
            ["¿Qué día empezó {s.el} {s} a lanzar ceniza?", "¿Cuándo empezó a correr la lava por {s.el} {s}?"],
        ),
        ask(
            "duration",
            [
                "¿Cuál fue la duración de la erupción {s.del} {s}?",
                "¿Cuántas semanas tuvo de duración la erupción {s.del} {s}?",
            ],
            [
                "¿Durante cuánto tiempo lanzó ceniza {s.el} {s}?",
                "¿Durante cuántas semanas corrió la lava por {s.el} {s}?",
            ],
        ),
        ask(
            "s",
            ["¿Qué volcán está cerca de {town}?", "¿Qué volcán domina {town}?"],
            ["¿Qué montaña se ve desde {town}?"],
            given="town",
        ),
    ),
)

ANIMALS = Domain(
    "Animales",
    {
        "s": named(
            [("iguana de {}", True), ("tortuga de {}", True), ("loro de {}", False), ("lagarto de {}", False)], _STEMS
        ),
        "region": named([("valle de {}", False)], _STEMS),
        **{"zoologist": _person, "year": _late},
        "food": listed(
            ["insectos", "bananas", "semillas", "raíces", "mangos", "melones", "caracoles", "flores"],
            ["hormigas", "aceitunas", "algas", "cerezas", "gusanos"],
        ),
        **{"weight": numbers(110, 980, 10, "gramos"), "life": numbers(12, 69, 1, "años")},
    },
    facts=(
        said(
            [
                "{s.El} [s] vive en el [region] y come [food].",
                "En el [region], {s.el} [s] come [food].",
                "{s.El} [s], animal del [region], tiene una dieta de [food].",
            ],
            [
                "{s.El} [s] habita el [region] y se alimenta de [food].",
                "Por el [region] anda {s.el} [s] en busca de [food].",
            ],
        ),
        said(
            [
                "{zoologist.El} zoólog{zoologist.o} [zoologist] describió {s.el} [s] en [year].",
                "{s.El} [s] fue descubiert{s.o} por [zoologist] en [year].",
                "En [year], {zoologist.el} zoólog{zoologist.o} [zoologist] descubrió {s.el} [s].",
            ],
            [
                "La ciencia conoce {s.el} [s] desde [year] gracias a [zoologist].",
                "Nadie conocía {s.el} [s] hasta el hallazgo de [zoologist] en [year].",
            ],
        ),
        said(
            [
                "{s.El} [s] tiene un peso de [weight] y vive [life].",
                "Con un peso de [weight], {s.el} [s] vive [life].",
                "Un ejemplar adulto {s.del} [s] tiene un peso de [weight] y vive [life].",
            ],
            [
                "{s.El} [s] pesa [weight] y llega a los [life].",
                "{s.El} [s] alcanza los [life] de edad y pesa unos [weight].",
            ],
        ),
    ),
    asks=(
        ask(
            "region",
            ["¿Dónde vive {s.el} {s}?", "¿En qué valle vive {s.el} {s}?"],
            ["¿Qué lugar habita {s.el} {s}?", "¿Por dónde anda {s.el} {s}?"],
        ),
        ask(
            "food",
            ["¿Qué come {s.el} {s}?", "¿Cuál es la dieta {s.del} {s}?"],
            ["¿De qué se alimenta {s.el} {s}?", "¿Qué busca {s.el} {s}?"],
        ),
        ask(
            "zoologist",
            ["¿Quién descubrió {s.el} {s}?", "¿Qué zoólog{zoologist.o} describió {s.el} {s}?"],
            ["¿Gracias a quién se conoce {s.el} {s}?", "¿De quién es el hallazgo {s.del} {s}?"],
        ),
        ask(
            "year",
            ["¿En qué año fue descubiert{s.o} {s.el} {s}?", "¿Cuándo se describió {s.el} {s}?"],
            ["¿Desde qué año se conoce {s.el} {s}?", "¿Cuándo fue el hallazgo {s.del} {s}?"],
        ),
        ask(
            "weight",
            ["¿Cuál es el peso {s.del} {s}?", "¿Qué peso tiene {s.el} {s}?"],
            ["¿Cuánto pesa {s.el} {s}?", "¿Cuántos gramos pesa {s.el} {s}?"],
        ),
        ask(
            "life",
            ["¿Cuántos años vive {s.el} {s}?", "¿Cuánto tiempo vive {s.el} {s}?"],
            ["¿Qué edad alcanza {s.el} {s}?", "¿A qué edad llega {s.el} {s}?"],
        ),
        ask(
            "s",
            ["¿Qué animal descubrió {zoologist}?", "¿Qué animal describió {zoologist}?"],
            ["¿Qué animal se conoce gracias a {zoologist}?"],
            given="zoologist",
        ),
    ),
)

SPANISH = Language(
    "es",
    (MUSEUMS, MUSICIANS, RIVERS, COMPANIES, FESTIVALS, BRIDGES, SCIENTISTS, NOVELS, VOLCANOES, ANIMALS),
    asides=Phrasings(
        (
            "Todo esto se lee en una guía de la región.",
            "Estos datos proceden de un archivo local.",
            "Sobre el tema existe un documental.",
        ),
        ("Así consta en una vieja crónica.", "La radio local lo ha contado muchas veces."),
    ),
)
