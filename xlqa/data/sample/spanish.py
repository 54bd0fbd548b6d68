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
        ("Tar", "Mal", "Pal", "Nor", "Bel", "Val", "Mon", "Gal"),
        ("vira", "mona", "quel", "dora", "nia", "landa", "zar", "vera"),
    ),
    joined(("Cas", "San", "Lam", "Per", "Sol", "Car"), ("rina", "bal", "cana", "lica")),
)
_TOWNS = (
    joined(
        ("Villa ", "Puerto ", "Monte ", "Torre "),
        ("Coral", "Perla", "Cedro", "Brisa", "Laurel", "Nácar", "Paloma", "Roble"),
    ),
    joined(("Valle ", "Campo ", "Costa "), ("Lirio", "Menta", "Cobre", "Oliva", "Garza", "Ámbar")),
)
_WOMEN = (
    ("Elena", "Carmen", "Lucía", "Marta", "Sofía", "Rosa", "Julia", "Teresa", "Isabel", "Clara"),
    ("Victoria", "Gloria", "Alicia", "Silvia", "Paula", "Emilia"),
)
_MEN = (
    ("Andrés", "Tomás", "Ramón", "Julio", "Hugo", "Pablo", "Ernesto", "Bruno", "Mateo", "Marcos"),
    ("Ignacio", "Simón", "Álvaro", "Rafael", "Sergio", "Gustavo"),
)
_FAMILIES = (
    (
        *("Mendoza", "Delgado", "Salazar", "Ortega", "Molina", "Campos", "Herrera", "Medina", "Ponce", "Soto"),
        *("Carranza", "Galarza", "Novoa", "Ochoa", "Osorio", "Duarte", "Solano", "Barroso", "Cabrera", "Robles"),
    ),
    ("Calderón", "Arroyo", "Bustos", "Aldana", "Paredes", "Rosales", "Montero", "Serrano", "Carrasco", "Cordero"),
)
_MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
_DATE = "{day} de {month} de {year}"

_MINERALS = tuple(tuple(f"{stem.rstrip('aeio')}ita".lower() for stem in stems) for stems in _STEMS)


def _titles(masculine: tuple[str, ...], feminine: tuple[str, ...], adjectives: tuple[str, ...]) -> tuple[str, ...]:
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
_town = listed(*_TOWNS, unique=1)
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
                "Según el proyecto de [architect], {s.el} [s] abrió al público en [opened].",
                "[architect] proyectó {s.el} [s], abiert{s.o} al público en [opened].",
            ],
        ),
        said(
            [
                "{s.El} [s] está en el centro de [town] y tiene una colección de [works] pinturas.",
                "Una colección de [works] pinturas se conserva en {s.el} [s], en [town].",
                "En [town], {s.el} [s] tiene [works] pinturas.",
            ],
            [
                "{s.El} [s] presenta [works] pinturas en [town].",
                "La ciudad de [town] conserva [works] pinturas en {s.el} [s].",
            ],
        ),
        said(
            [
                "{s.El} [s] fue restaurad{s.o} en [restored] bajo la dirección de [director].",
                "Con [director] como director{director.a}, {s.el} [s] fue restaurad{s.o} en [restored].",
                "{s.El} [s], restaurad{s.o} en [restored], tuvo como director{director.a} a [director].",
            ],
            [
                "La restauración {s.del} [s] terminó en [restored], con [director] en la dirección.",
                "Dirigid{s.o} por [director], {s.el} [s] se reparó en [restored].",
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
            ["¿Quién proyectó {s.el} {s}?", "¿De qué arquitect{architect.o} es el proyecto {s.del} {s}?"],
        ),
        ask(
            "opened",
            ["¿En qué año se inauguró {s.el} {s}?", "¿Cuándo fue inaugurad{s.o} {s.el} {s}?"],
            ["¿En qué año abrió al público {s.el} {s}?", "¿Cuándo abrió {s.el} {s}?"],
        ),
        ask(
            "town",
            ["¿Dónde está {s.el} {s}?", "¿En qué ciudad está {s.el} {s}?"],
            ["¿Dónde se encuentra {s.el} {s}?", "¿Qué ciudad conserva pinturas en {s.el} {s}?"],
        ),
        ask(
            "works",
            ["¿Cuántas pinturas tiene {s.el} {s}?", "¿Cuántas pinturas hay en la colección {s.del} {s}?"],
            ["¿Cuántas pinturas presenta {s.el} {s}?", "¿Qué número de pinturas conserva {s.el} {s}?"],
        ),
        ask(
            "restored",
            ["¿En qué año fue restaurad{s.o} {s.el} {s}?", "¿Cuándo fue la restauración {s.del} {s}?"],
            ["¿En qué año se reparó {s.el} {s}?", "¿Cuándo terminó la restauración {s.del} {s}?"],
        ),
        ask(
            "director",
            [
                "¿Quién fue {director.el} director{director.a} {s.del} {s}?",
                "¿Qué director{director.a} tuvo {s.el} {s}?",
            ],
            ["¿Quién ocupó la dirección {s.del} {s}?", "¿Quién dirigió {s.el} {s}?"],
        ),
        ask(
            "s",
            ["¿Qué edificio diseñó {architect}?", "¿Qué diseñó {architect}?"],
            ["¿Qué museo o galería proyectó {architect}?"],
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
                "{s.El} artista [s], natural de [birthplace], nació el [born].",
            ],
            [
                "El lugar de nacimiento de [s] es [birthplace], y la fecha, el [born].",
                "[s] vino al mundo en [birthplace] el [born].",
            ],
        ),
        said(
            [
                "[s] estudió {instrument.el} [instrument] con {teacher.el} profesor{teacher.a} [teacher].",
                "{teacher.El} profesor{teacher.a} [teacher] enseñó a [s] a tocar {instrument.el} [instrument].",
                "Alumn{s.o} {teacher.del} profesor{teacher.a} [teacher], [s] tocaba {instrument.el} [instrument].",
            ],
            [
                "[s] aprendió {instrument.el} [instrument] en las clases de [teacher].",
                "En clase de [teacher], [s] se dedicó {instrument.al} [instrument].",
            ],
        ),
        said(
            [
                "[s] dio su primer concierto en [stage] el [debut].",
                "El primer concierto de [s] fue en [stage] el [debut].",
                "El [debut], [s] presentó su primer concierto en la ópera de [stage].",
            ],
            ["El debut de [s] fue en [stage] el [debut].", "[s] debutó el [debut] en el teatro de [stage]."],
        ),
    ),
    asks=(
        ask(
            "birthplace",
            ["¿Dónde nació {s}?", "¿En qué ciudad nació {s}?"],
            ["¿Cuál es el lugar de nacimiento de {s}?", "¿En qué lugar vino al mundo {s}?"],
        ),
        ask(
            "born",
            ["¿Cuándo nació {s}?", "¿En qué fecha nació {s}?"],
            ["¿Cuál es la fecha de nacimiento de {s}?", "¿Qué día nació {s}?"],
        ),
        ask(
            "teacher",
            [
                "¿Quién enseñó a tocar a {s}?",
                "¿Con qué profesor{teacher.a} estudió {s}?",
                "¿Quién fue {teacher.el} profesor{teacher.a} de {s}?",
            ],
            ["¿En clase de quién aprendió {s}?", "¿De quién recibió clases {s}?"],
        ),
        ask(
            "instrument",
            ["¿Qué instrumento tocaba {s}?", "¿Qué instrumento estudió {s}?"],
            ["¿Qué instrumento aprendió {s}?", "¿A qué instrumento se dedicó {s}?"],
        ),
        ask(
            "stage",
            ["¿Dónde dio {s} su primer concierto?", "¿En qué ciudad presentó {s} su primer concierto?"],
            ["¿Dónde fue el debut de {s}?", "¿En qué ciudad debutó {s}?"],
        ),
        ask(
            "debut",
            ["¿Cuándo dio {s} su primer concierto?", "¿En qué fecha fue el primer concierto de {s}?"],
            ["¿Cuándo fue el debut de {s}?", "¿En qué fecha debutó {s}?"],
        ),
        ask(
            "s",
            ["¿Quién estudió con {teacher}?", "¿Qué artista fue alumn{s.o} de {teacher}?"],
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
                "{s.El} [s] nace en el [source] y tiene un curso de [length].",
                "El curso {s.del} [s], de [length], comienza en el [source].",
            ],
        ),
        said(
            [
                "{s.El} [s] fue explorado por {explorer.el} capit{explorer.án} [explorer] en [year].",
                "En [year], {explorer.el} explorador{explorer.a} [explorer] hizo un mapa {s.del} [s].",
                "[explorer] organizó en [year] una expedición para explorar {s.el} [s].",
            ],
            [
                "En [year], [explorer] navegó {s.el} [s] en canoa.",
                "La exploración {s.del} [s] fue obra de [explorer] en [year].",
            ],
        ),
        said(
            [
                "{s.El} [s] pasa por [town], donde tiene una profundidad de [depth].",
                "En [town], {s.el} [s] tiene una profundidad de [depth].",
                "{s.El} [s], con una profundidad de [depth], tiene su principal puerto en [town].",
            ],
            [
                "{s.El} [s] atraviesa [town], con [depth] de profundidad máxima.",
                "La profundidad {s.del} [s] en [town] es de [depth].",
            ],
        ),
    ),
    asks=(
        ask(
            "source",
            ["¿Dónde tiene su origen {s.el} {s}?", "¿En qué lago tiene su origen {s.el} {s}?"],
            ["¿Dónde nace {s.el} {s}?", "¿Dónde comienza el curso {s.del} {s}?"],
        ),
        ask(
            "length",
            ["¿Cuál es la longitud {s.del} {s}?", "¿Cuántos kilómetros recorre {s.el} {s}?"],
            ["¿Cuánto mide el curso {s.del} {s}?", "¿Cuántos kilómetros tiene {s.el} {s}?"],
        ),
        ask(
            "explorer",
            ["¿Quién exploró {s.el} {s}?", "¿Qué explorador{explorer.a} hizo un mapa {s.del} {s}?"],
            ["¿Quién navegó {s.el} {s}?", "¿De quién fue obra la exploración {s.del} {s}?"],
        ),
        ask(
            "year",
            ["¿En qué año fue explorado {s.el} {s}?", "¿Cuándo fue la expedición {s.al} {s}?"],
            ["¿En qué año se navegó {s.el} {s}?", "¿Cuándo fue la exploración {s.del} {s}?"],
        ),
        ask(
            "town",
            ["¿Por qué ciudad pasa {s.el} {s}?", "¿Dónde está el principal puerto {s.del} {s}?"],
            ["¿Qué ciudad atraviesa {s.el} {s}?", "¿En qué ciudad se mide la profundidad {s.del} {s}?"],
        ),
        ask(
            "depth",
            ["¿Cuál es la profundidad {s.del} {s}?", "¿Cuántos metros de profundidad tiene {s.el} {s}?"],
            ["¿Cuánta profundidad tiene {s.el} {s}?", "¿Qué profundidad alcanza {s.el} {s}?"],
        ),
        ask(
            "s",
            ["¿Qué río exploró {explorer}?", "¿Qué río fue explorado por {explorer}?"],
            ["¿Qué río navegó {explorer}?"],
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
                "La fundación {s.del} [s] fue obra de [founder] en [founded].",
                "{s.El} [s] existe desde [founded], gracias a [founder].",
            ],
        ),
        said(
            [
                "{s.El} [s] produce [product] en [town].",
                "En su fábrica de [town], {s.el} [s] produce [product].",
                "[town] es la sede {s.del} [s], que produce [product].",
            ],
            ["{s.El} [s] exporta [product] desde [town].", "La exportación de [product] {s.del} [s] parte de [town]."],
        ),
        said(
            [
                "{s.El} [s], con [employees] empleados, tiene como president{president.e} a [president].",
                "{s.El} [s] tiene [employees] empleados y su president{president.e} es [president].",
                "Con [employees] empleados, {s.el} [s] eligió como president{president.e} a [president].",
            ],
            [
                "[president] preside {s.el} [s], que emplea a [employees] personas.",
                "{s.El} [s] cuenta con [employees] empleados, y [president] ocupa la presidencia.",
            ],
        ),
    ),
    asks=(
        ask(
            "founder",
            ["¿Quién fundó {s.el} {s}?", "¿Quién fue {founder.el} fundador{founder.a} {s.del} {s}?"],
            ["¿De quién fue obra la fundación {s.del} {s}?", "¿Gracias a quién existe {s.el} {s}?"],
        ),
        ask(
            "founded",
            ["¿En qué año fue fundad{s.o} {s.el} {s}?", "¿Cuándo se estableció {s.el} {s}?"],
            ["¿En qué año fue la fundación {s.del} {s}?", "¿Desde cuándo existe {s.el} {s}?"],
        ),
        ask(
            "product",
            ["¿Qué produce {s.el} {s}?", "¿Qué producto fabrica {s.el} {s}?"],
            ["¿Qué exporta {s.el} {s}?", "¿Qué producto vende {s.el} {s}?"],
        ),
        ask(
            "town",
            ["¿Dónde está la fábrica {s.del} {s}?", "¿En qué ciudad está {s.el} {s}?"],
            ["¿Desde qué ciudad exporta {s.el} {s}?", "¿De qué ciudad parte la exportación {s.del} {s}?"],
        ),
        ask(
            "president",
            [
                "¿Quién es {president.el} president{president.e} {s.del} {s}?",
                "¿Qué president{president.e} tiene {s.el} {s}?",
            ],
            ["¿Quién preside {s.el} {s}?", "¿Quién ocupa la presidencia {s.del} {s}?"],
        ),
        ask(
            "employees",
            ["¿Cuántos empleados tiene {s.el} {s}?", "¿Cuál es el número de empleados {s.del} {s}?"],
            ["¿A cuántas personas emplea {s.el} {s}?", "¿Con cuántos empleados cuenta {s.el} {s}?"],
        ),
        ask(
            "s",
            ["¿Qué empresa produce {product}?", "¿Qué empresa fabrica {product}?"],
            ["¿Qué empresa exporta {product}?"],
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
            [
                "sopa de tomate",
                "tarta de limón",
                "arroz con azafrán",
                "pollo asado",
                "ensalada de patata",
                "crema de cacao",
            ],
            ["empanada de cebolla", "flan de ciruela", "pan de miel", "guiso de lentejas", "atún con aceitunas"],
            feminine=[
                "sopa de tomate",
                "tarta de limón",
                "ensalada de patata",
                "crema de cacao",
                "empanada de cebolla",
            ],
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
                "Cada año, en [month], {s.el} [s] anima la ciudad de [town].",
                "[town] es la capital {s.del} [s] en [month].",
            ],
        ),
        said(
            [
                "{s.El} [s] tiene una duración de [duration], y su plato típico es {dish.el} [dish].",
                "En {s.el} [s], que tiene una duración de [duration], se come [dish].",
                "El plato típico {s.del} [s] es {dish.el} [dish], y la celebración dura [duration].",
            ],
            [
                "{s.El} [s] ofrece [dish] a los visitantes durante [duration].",
                "Durante [duration], los visitantes {s.del} [s] comen [dish].",
            ],
        ),
        said(
            [
                "{s.El} [s] fue cread{s.o} por {founder.el} bailar{founder.ín} [founder] en [year].",
                "En [year], {founder.el} poeta [founder] organizó {s.el} {s.primer} [s].",
                "{s.El} {s.primer} [s] fue organizad{s.o} por [founder] en [year].",
            ],
            ["[founder] inventó {s.el} [s] en [year].", "La idea {s.del} [s] es de [founder] y data de [year]."],
        ),
    ),
    asks=(
        ask(
            "town",
            ["¿Dónde se celebra {s.el} {s}?", "¿En qué ciudad se celebra {s.el} {s}?"],
            ["¿Dónde tiene lugar {s.el} {s}?", "¿Qué ciudad es la capital {s.del} {s}?"],
        ),
        ask(
            "month",
            ["¿En qué mes se celebra {s.el} {s}?", "¿Cuándo se celebra {s.el} {s}?"],
            ["¿En qué mes tiene lugar {s.el} {s}?", "¿Cuándo tiene lugar {s.el} {s}?"],
        ),
        ask(
            "dish",
            ["¿Cuál es el plato típico {s.del} {s}?", "¿Qué se come en {s.el} {s}?"],
            ["¿Qué ofrece {s.el} {s} a los visitantes?", "¿Qué comen los visitantes {s.del} {s}?"],
        ),
        ask(
            "duration",
            ["¿Cuál es la duración {s.del} {s}?", "¿Cuántos días dura {s.el} {s}?"],
            ["¿Cuánto tiempo dura {s.el} {s}?", "¿Durante cuántos días comen los visitantes {s.del} {s}?"],
        ),
        ask(
            "founder",
            ["¿Quién creó {s.el} {s}?", "¿Quién organizó {s.el} {s.primer} {s}?"],
            ["¿Quién inventó {s.el} {s}?", "¿De quién es la idea {s.del} {s}?"],
        ),
        ask(
            "year",
            ["¿En qué año se organizó {s.el} {s.primer} {s}?", "¿Cuándo fue cread{s.o} {s.el} {s}?"],
            ["¿En qué año se inventó {s.el} {s}?", "¿De qué año data {s.el} {s}?"],
        ),
        ask(
            "s",
            ["¿Qué celebración creó {founder}?", "¿Qué organizó {founder}?"],
            ["¿Qué celebración inventó {founder}?"],
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
                "La construcción {s.del} [s] terminó en [built], bajo la dirección de [engineer].",
                "{s.El} [s], proyecto de [engineer], se terminó en [built].",
            ],
        ),
        said(
            [
                "{s.El} [s] tiene una longitud de [length] y es de [material].",
                "Hech{s.o} de [material], {s.el} [s] tiene una longitud de [length].",
                "La estructura {s.del} [s] es de [material], con una longitud total de [length].",
            ],
            [
                "{s.El} [s], una estructura de [material], mide [length] en total.",
                "El material {s.del} [s] es [material], y su extensión, de [length].",
            ],
        ),
        said(
            [
                "{s.El} [s] cruza el [river] con un tráfico de [traffic] vehículos al día.",
                "Cada día, [traffic] vehículos cruzan el [river] por {s.el} [s].",
                "Con un tráfico diario de [traffic] vehículos, {s.el} [s] cruza el [river].",
            ],
            [
                "{s.El} [s] pasa sobre el [river] y recibe [traffic] automóviles diarios.",
                "Unos [traffic] automóviles diarios pasan el [river] por {s.el} [s].",
            ],
        ),
    ),
    asks=(
        ask(
            "engineer",
            ["¿Quién construyó {s.el} {s}?", "¿Qué ingenier{engineer.o} construyó {s.el} {s}?"],
            ["¿De quién es el proyecto {s.del} {s}?", "¿Quién dirigió la construcción {s.del} {s}?"],
        ),
        ask(
            "built",
            ["¿En qué año fue construid{s.o} {s.el} {s}?", "¿Cuándo se completó la construcción {s.del} {s}?"],
            ["¿En qué año terminó la construcción {s.del} {s}?", "¿Cuándo se terminó {s.el} {s}?"],
        ),
        ask(
            "length",
            ["¿Cuál es la longitud {s.del} {s}?", "¿Cuántos metros de longitud tiene {s.el} {s}?"],
            ["¿Cuánto mide {s.el} {s}?", "¿Qué extensión tiene {s.el} {s}?"],
        ),
        ask(
            "material",
            ["¿De qué material es {s.el} {s}?", "¿De qué está hech{s.o} {s.el} {s}?"],
            ["¿Cuál es el material {s.del} {s}?", "¿De qué material es la estructura {s.del} {s}?"],
        ),
        ask(
            "river",
            ["¿Qué río cruza {s.el} {s}?", "¿Qué cruza {s.el} {s}?"],
            ["¿Sobre qué río pasa {s.el} {s}?", "¿Qué río se pasa por {s.el} {s}?"],
        ),
        ask(
            "traffic",
            ["¿Cuántos vehículos usan {s.el} {s} al día?", "¿Cuántos vehículos cruzan {s.el} {s} cada día?"],
            ["¿Cuántos automóviles recibe {s.el} {s}?", "¿Cuántos automóviles pasan por {s.el} {s}?"],
        ),
        ask(
            "s",
            ["¿Qué construcción completó {engineer}?", "¿Qué construyó {engineer}?"],
            ["¿Qué construcción dirigió {engineer}?"],
            given="engineer",
        ),
    ),
)

SCIENTISTS = Domain(
    "Científicos",
    {
        **{"s": _person, "assistant": _person, "year": _late},
        "mineral": listed(_MINERALS[0], _MINERALS[1]),
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
            ["El descubrimiento de la [mineral] por [s] data de [year].", "[s] identificó la [mineral] en [year]."],
        ),
        said(
            [
                "[s] fue profesor{s.a} de [science] en la [university].",
                "En la [university], [s] enseñó [science].",
                "Profesor{s.a} de la [university], [s] dio cursos de [science].",
            ],
            [
                "[s] dio clases de [science] en la [university].",
                "La [university] tuvo a [s] como profesor{s.a} de [science].",
            ],
        ),
        said(
            [
                "Con la ayuda de [assistant], [s] recibió {prize.el} [prize].",
                "[s], que tenía como asistente a [assistant], recibió {prize.el} [prize].",
                "{prize.El} [prize] fue para [s], que tenía a [assistant] como asistente.",
            ],
            [
                "[s] ganó {prize.el} [prize], asistid{s.o} por [assistant].",
                "Con la colaboración de [assistant], [s] obtuvo {prize.el} [prize].",
            ],
        ),
    ),
    asks=(
        ask(
            "mineral",
            ["¿Qué mineral descubrió {s}?", "¿Qué descubrió {s}?"],
            ["¿Qué mineral identificó {s}?", "¿Qué identificó {s}?"],
        ),
        ask(
            "year",
            ["¿En qué año descubrió {s} un mineral?", "¿Cuándo fue el descubrimiento de {s}?"],
            ["¿En qué año identificó {s} un mineral?", "¿De cuándo data el descubrimiento de {s}?"],
        ),
        ask(
            "science",
            ["¿Qué ciencia enseñó {s}?", "¿De qué ciencia fue profesor{s.a} {s}?"],
            ["¿De qué ciencia dio clases {s}?", "¿Qué ciencia explicó {s} en sus clases?"],
        ),
        ask(
            "university",
            ["¿En qué universidad fue profesor{s.a} {s}?", "¿Dónde enseñó {s}?"],
            ["¿En qué universidad dio clases {s}?", "¿Dónde dio clases {s}?"],
        ),
        ask(
            "prize",
            ["¿Qué premio recibió {s}?", "¿Qué recibió {s}?"],
            ["¿Qué premio ganó {s}?", "¿Qué premio obtuvo {s}?"],
        ),
        ask(
            "assistant",
            ["¿Quién fue asistente de {s}?", "¿A quién tenía {s} como asistente?"],
            ["¿Quién asistió a {s}?", "¿De quién recibió colaboración {s}?"],
        ),
        ask(
            "s",
            ["¿Quién descubrió el mineral {mineral}?", "¿Por quién fue descubierto el mineral {mineral}?"],
            ["¿Quién identificó la {mineral}?"],
            given="mineral",
        ),
    ),
)

NOVELS = Domain(
    "Novelas",
    {
        "s": listed(_NOVEL_TITLES[0], _NOVEL_TITLES[1], unique=1),
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
                "«[s]», obra de [author], se imprimió en [published].",
                "[author] presentó su novela «[s]» en [published].",
            ],
        ),
        said(
            [
                "La acción de «[s]» transcurre en [setting] y ocupa [pages] páginas.",
                "La novela «[s]», con su acción en [setting], tiene [pages] páginas.",
                "Con [pages] páginas, la novela «[s]» sitúa su acción en [setting].",
            ],
            [
                "«[s]» narra en [pages] páginas una historia de [setting].",
                "La historia de «[s]» pasa en [setting] y se extiende por [pages] páginas.",
            ],
        ),
        said(
            [
                "{translator.El} traductor{translator.a} de «[s]» fue [translator], y la película es de [film].",
                "La novela «[s]», traducida por [translator], inspiró una película en [film].",
                "En [film] se produjo una película de «[s]», según la traducción de [translator].",
            ],
            [
                "Adaptada al cine en [film], «[s]» tuvo como traductor{translator.a} a [translator].",
                "[translator] pasó «[s]» al francés, y el cine la adaptó en [film].",
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
            ["¿De quién es la obra «{s}»?", "¿Quién presentó la novela «{s}»?"],
        ),
        ask(
            "published",
            ["¿En qué año fue publicada «{s}»?", "¿Cuándo se publicó «{s}»?"],
            ["¿En qué año se imprimió «{s}»?", "¿Cuándo se presentó «{s}»?"],
        ),
        ask(
            "setting",
            ["¿Dónde transcurre la acción de «{s}»?", "¿En qué ciudad transcurre la acción de «{s}»?"],
            ["¿Dónde pasa la historia de «{s}»?", "¿De qué ciudad narra «{s}» una historia?"],
        ),
        ask(
            "pages",
            ["¿Cuántas páginas tiene «{s}»?", "¿Cuál es el número de páginas de «{s}»?"],
            ["¿Por cuántas páginas se extiende «{s}»?", "¿En cuántas páginas narra «{s}» su historia?"],
        ),
        ask(
            "translator",
            [
                "¿Quién fue {translator.el} traductor{translator.a} de «{s}»?",
                "¿Quién tradujo «{s}»?",
            ],
            ["¿Qué traductor{translator.a} tuvo «{s}»?", "¿Quién pasó «{s}» al francés?"],
        ),
        ask(
            "film",
            ["¿En qué año inspiró «{s}» una película?", "¿Cuándo se produjo la película de «{s}»?"],
            ["¿En qué año fue adaptada al cine «{s}»?", "¿Cuándo adaptó el cine «{s}»?"],
        ),
        ask(
            "s",
            ["¿Qué novela publicó {author}?", "¿Qué novela fue escrita por {author}?"],
            ["¿Qué obra presentó {author}?"],
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
                "La altitud {s.del} [s], visible desde [town], es de [altitude].",
                "Desde [town] es visible {s.el} [s], con [altitude] de altitud.",
            ],
        ),
        said(
            [
                "[climber] hizo la primera ascensión {s.al} [s] en [ascent].",
                "La primera ascensión {s.al} [s] fue obra de [climber] en [ascent].",
                "En [ascent], {climber.el} alpinista [climber] hizo la primera ascensión {s.al} [s].",
            ],
            ["[climber] conquistó {s.el} [s] en [ascent].", "La conquista {s.del} [s] por [climber] data de [ascent]."],
        ),
        said(
            [
                "La última erupción {s.del} [s] ocurrió el [eruption] y tuvo una duración de [duration].",
                "El [eruption], {s.el} [s] tuvo una erupción con una duración de [duration].",
                "Con una duración de [duration], la última erupción {s.del} [s] comenzó el [eruption].",
            ],
            [
                "{s.El} [s] entró en erupción el [eruption] y siguió activo [duration].",
                "Activo durante [duration], {s.el} [s] entró en erupción el [eruption].",
            ],
        ),
    ),
    asks=(
        ask(
            "altitude",
            ["¿Cuál es la altitud {s.del} {s}?", "¿Qué altitud alcanza {s.el} {s}?"],
            ["¿Cuánta altitud tiene {s.el} {s}?", "¿A qué altitud llega {s.el} {s}?"],
        ),
        ask(
            "town",
            ["¿Cerca de qué ciudad está {s.el} {s}?", "¿Qué ciudad domina {s.el} {s}?"],
            ["¿Desde qué ciudad es visible {s.el} {s}?", "¿Desde dónde es visible {s.el} {s}?"],
        ),
        ask(
            "climber",
            ["¿Quién hizo la primera ascensión {s.al} {s}?", "¿Qué alpinista hizo la primera ascensión {s.al} {s}?"],
            ["¿Quién conquistó {s.el} {s}?", "¿Qué alpinista conquistó {s.el} {s}?"],
        ),
        ask(
            "ascent",
            ["¿En qué año fue la primera ascensión {s.al} {s}?", "¿Cuándo se hizo la primera ascensión {s.al} {s}?"],
            ["¿En qué año fue la conquista {s.del} {s}?", "¿Cuándo se conquistó {s.el} {s}?"],
        ),
        ask(
            "eruption",
            ["¿En qué fecha ocurrió la última erupción {s.del} {s}?", "¿Cuándo fue la última erupción {s.del} {s}?"],
            ["¿En qué fecha entró en erupción {s.el} {s}?", "¿Cuándo entró en erupción {s.el} {s}?"],
        ),
        ask(
            "duration",
            [
                "¿Cuál fue la duración de la erupción {s.del} {s}?",
                "¿Cuántas semanas tuvo de duración la erupción {s.del} {s}?",
            ],
            ["¿Durante cuánto tiempo siguió activo {s.el} {s}?", "¿Cuántas semanas siguió activo {s.el} {s}?"],
        ),
        ask(
            "s",
            ["¿Qué volcán está cerca de {town}?", "¿Qué volcán domina {town}?"],
            ["¿Qué volcán es visible desde {town}?"],
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
                "{s.El} [s] habita el [region] y consume [food].",
                "El [region] es el hábitat {s.del} [s], que se alimenta de [food].",
            ],
        ),
        said(
            [
                "{zoologist.El} zoólog{zoologist.o} [zoologist] describió {s.el} [s] en [year].",
                "{s.El} [s] fue descubiert{s.o} por [zoologist] en [year].",
                "En [year], {zoologist.el} zoólog{zoologist.o} [zoologist] descubrió {s.el} [s].",
            ],
            [
                "[zoologist] identificó {s.el} [s] en [year].",
                "El descubrimiento {s.del} [s] se debe a [zoologist] y data de [year].",
            ],
        ),
        said(
            [
                "{s.El} [s] tiene un peso de [weight] y vive [life].",
                "Con un peso de [weight], {s.el} [s] vive [life].",
                "Un ejemplar adulto {s.del} [s] tiene un peso de [weight] y vive [life].",
            ],
            [
                "{s.El} [s] pesa [weight] y alcanza los [life] de vida.",
                "La vida {s.del} [s] dura [life], y su peso es de [weight].",
            ],
        ),
    ),
    asks=(
        ask(
            "region",
            ["¿Dónde vive {s.el} {s}?", "¿En qué valle vive {s.el} {s}?"],
            ["¿Qué valle habita {s.el} {s}?", "¿Cuál es el hábitat {s.del} {s}?"],
        ),
        ask(
            "food",
            ["¿Qué come {s.el} {s}?", "¿Cuál es la dieta {s.del} {s}?"],
            ["¿Qué consume {s.el} {s}?", "¿De qué se alimenta {s.el} {s}?"],
        ),
        ask(
            "zoologist",
            ["¿Quién descubrió {s.el} {s}?", "¿Qué zoólog{zoologist.o} describió {s.el} {s}?"],
            ["¿Quién identificó {s.el} {s}?", "¿A quién se debe el descubrimiento {s.del} {s}?"],
        ),
        ask(
            "year",
            ["¿En qué año fue descubiert{s.o} {s.el} {s}?", "¿Cuándo se describió {s.el} {s}?"],
            ["¿En qué año se identificó {s.el} {s}?", "¿De qué año data el descubrimiento {s.del} {s}?"],
        ),
        ask(
            "weight",
            ["¿Cuál es el peso {s.del} {s}?", "¿Qué peso tiene {s.el} {s}?"],
            ["¿Cuánto pesa {s.el} {s}?", "¿Cuántos gramos pesa {s.el} {s}?"],
        ),
        ask(
            "life",
            ["¿Cuántos años vive {s.el} {s}?", "¿Cuánto tiempo vive {s.el} {s}?"],
            ["¿Cuánto dura la vida {s.del} {s}?", "¿Cuántos años alcanza {s.el} {s}?"],
        ),
        ask(
            "s",
            ["¿Qué animal descubrió {zoologist}?", "¿Qué animal describió {zoologist}?"],
            ["¿Qué animal identificó {zoologist}?"],
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
