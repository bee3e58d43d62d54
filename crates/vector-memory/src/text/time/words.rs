//! Words of time, in many languages, as tokens of one small grammar.

use std::{collections::HashMap, sync::LazyLock};

/// A unit of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Week,
    Weekend,
    Month,
    Year,
}

/// What a word of time means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// Days from today.
    Day(i64),
    /// The night or evening before, or the morning of, a day.
    Night(i64),
    Last,
    This,
    Next,
    Ago,
    Unit(Unit),
    /// Monday is 1.
    Weekday(i8),
    Month(i8),
    Number(i64),
    /// Month and day of a holiday with a fixed date.
    Holiday(i8, i8),
    /// "in", "on", "of": a month may follow.
    In,
}

/// The meaning of a word in lower case.
pub(super) fn token(word: &str) -> Option<Token> {
    WORDS.get(word).copied()
}

/// Builds the table.
pub(super) fn prepare() {
    LazyLock::force(&WORDS);
}

/// Phrases of several words, or of scripts without spaces, each with the words that stand for it.
pub(super) fn phrases() -> &'static [(&'static str, &'static str)] {
    &PHRASES
}

static WORDS: LazyLock<HashMap<&'static str, Token>> = LazyLock::new(|| {
    let mut words = HashMap::new();
    let mut add = |list: &'static str, token: Token| {
        for word in list.split_whitespace() {
            words.entry(word).or_insert(token);
        }
    };
    for &(list, days) in &DAYS {
        add(list, Token::Day(days));
    }
    for (at, list) in WEEKDAYS.iter().enumerate() {
        add(list, Token::Weekday(at as i8 + 1));
    }
    for (at, list) in MONTHS.iter().enumerate() {
        add(list, Token::Month(at as i8 + 1));
    }
    for &(list, number) in &NUMBERS {
        add(list, Token::Number(number));
    }
    for &(list, unit) in &UNITS {
        add(list, Token::Unit(unit));
    }
    for &(list, month, day) in &HOLIDAYS {
        add(list, Token::Holiday(month, day));
    }
    add("_lastnight", Token::Night(-1));
    add("_tonight", Token::Night(0));
    add(LAST, Token::Last);
    add(THIS, Token::This);
    add(NEXT, Token::Next);
    add(AGO, Token::Ago);
    add(IN, Token::In);
    words
});

const DAYS: [(&str, i64); 5] = [
    (
        "today heute hoy aujourd'hui hoje oggi vandaag dziś dzisiaj сегодня bugün اليوم आज hôm-nay 今天 今日 오늘 วันนี้",
        0,
    ),
    (
        "yesterday gestern ayer hier ontem ieri gisteren wczoraj вчера dün أمس امس kemarin 昨天 昨日 어제 เมื่อวาน เมื่อวานนี้",
        -1,
    ),
    (
        "_daybefore vorgestern anteayer antier avant-hier anteontem eergisteren przedwczoraj позавчера evvelsi 前天 一昨日 おととい 그저께 그제",
        -2,
    ),
    (
        "tomorrow morgen mañana demain amanhã domani jutro завтра yarın غدا غداً besok 明天 明日 내일 พรุ่งนี้",
        1,
    ),
    (
        "_dayafter übermorgen après-demain dopodomani overmorgen pojutrze послезавтра lusa 后天 明後日 모레",
        2,
    ),
];

const WEEKDAYS: [&str; 7] = [
    "monday mondays montag lunes lundi segunda segunda-feira lunedì maandag poniedziałek poniedziałku понедельник понедельника pazartesi الاثنين सोमवार senin 星期一 周一 月曜日 月曜 월요일 วันจันทร์",
    "tuesday tuesdays dienstag martes mardi terça terça-feira martedì dinsdag wtorek wtorku вторник вторника salı الثلاثاء मंगलवार selasa 星期二 周二 火曜日 火曜 화요일 วันอังคาร",
    "wednesday wednesdays mittwoch miércoles mercredi quarta quarta-feira mercoledì woensdag środa środę среда среду çarşamba الأربعاء बुधवार rabu 星期三 周三 水曜日 水曜 수요일 วันพุธ",
    "thursday thursdays donnerstag jueves jeudi quinta quinta-feira giovedì donderdag czwartek четверг четверга perşembe الخميس गुरुवार kamis 星期四 周四 木曜日 木曜 목요일 วันพฤหัส วันพฤหัสบดี",
    "friday fridays freitag viernes vendredi sexta sexta-feira venerdì vrijdag piątek пятница пятницу cuma الجمعة शुक्रवार jumat 星期五 周五 金曜日 金曜 금요일 วันศุกร์",
    "saturday saturdays samstag sonnabend sábado samedi sabato zaterdag sobota sobotę суббота субботу cumartesi السبت शनिवार sabtu 星期六 周六 土曜日 土曜 토요일 วันเสาร์",
    "sunday sundays sonntag domingo dimanche domenica zondag niedziela niedzielę воскресенье воскресенья pazar الأحد रविवार minggu 星期日 星期天 周日 日曜日 日曜 일요일 วันอาทิตย์",
];

const MONTHS: [&str; 12] = [
    "january jan januar enero janvier janeiro gennaio januari styczeń stycznia styczniu январь января январе ocak يناير जनवरी มกราคม",
    "february feb februar febrero février fevereiro febbraio februari luty lutego lutym февраль февраля феврале şubat فبراير फरवरी กุมภาพันธ์",
    "march mar märz marzo mars março maart marzec marca marcu март марта марте mart مارس मार्च maret มีนาคม",
    "april apr abril avril aprile kwiecień kwietnia kwietniu апрель апреля апреле nisan أبريل अप्रैल เมษายน",
    "may mai mayo maio maggio mei maj maja maju май мая мае mayıs مايو मई พฤษภาคม",
    "june jun juni junio juin junho giugno czerwiec czerwca czerwcu июнь июня июне haziran يونيو जून มิถุนายน",
    "july jul juli julio juillet julho luglio lipiec lipca lipcu июль июля июле temmuz يوليو जुलाई กรกฎาคม",
    "august aug agosto août augustus sierpień sierpnia sierpniu август августа августе ağustos أغسطس अगस्त agustus สิงหาคม",
    "september sept sep septiembre septembre setembro settembre wrzesień września wrześniu сентябрь сентября сентябре eylül سبتمبر सितंबर กันยายน",
    "october oct oktober octubre octobre outubro ottobre październik października październiku октябрь октября октябре ekim أكتوبر अक्टूबर ตุลาคม",
    "november nov noviembre novembre novembro listopad listopada listopadzie ноябрь ноября ноябре kasım نوفمبر नवंबर พฤศจิกายน",
    "december dec dezember diciembre décembre dezembro dicembre grudzień grudnia grudniu декабрь декабря декабре aralık ديسمبر दिसंबर desember ธันวาคม",
];

const NUMBERS: [(&str, i64); 12] = [
    (
        "a an one ein eine einer einem einen un una une um uma uno een jeden jedna jeden bir satu एक",
        1,
    ),
    (
        "two couple zwei dos deux dois duas due twee dwa dwie два две iki dua दो",
        2,
    ),
    ("three few drei tres trois três tre drie trzy три üç tiga तीन", 3),
    (
        "four vier cuatro quatre quatro quattro cztery четыре dört empat चार",
        4,
    ),
    ("five fünf cinco cinq cinque vijf pięć пять beş lima पाँच", 5),
    ("six sechs seis sei zes sześć шесть altı enam छह", 6),
    (
        "seven sieben siete sept-n sete sette zeven siedem семь yedi tujuh सात",
        7,
    ),
    ("eight acht ocho huit oito otto osiem восемь sekiz delapan आठ", 8),
    (
        "nine neun nueve neuf nove negen dziewięć девять dokuz sembilan नौ",
        9,
    ),
    ("ten zehn diez dix dez dieci tien dziesięć десять sepuluh दस", 10),
    (
        "twelve zwölf doce douze doze dodici twaalf dwanaście двенадцать",
        12,
    ),
    ("fourteen vierzehn catorce quatorze quattordici veertien", 14),
];

const UNITS: [(&str, Unit); 5] = [
    (
        "day days tag tage tagen día días dia dias jour jours giorno giorni dag dagen dni dzień день дня дней gün يوم أيام दिन hari _day",
        Unit::Day,
    ),
    (
        "week weeks woche wochen semana semanas semaine semaines settimana settimane weken tydzień tygodnie tygodniu tygodni неделя неделю недели неделе недель hafta أسبوع الأسبوع हफ़्ते हफ्ते minggu-u _week",
        Unit::Week,
    ),
    (
        "weekend weekends wochenende fin-de-semana _weekend",
        Unit::Weekend,
    ),
    (
        "month months monat monate monaten mes meses mois mês mese mesi maand maanden miesiąc miesiące miesiącu miesięcy месяц месяца месяце месяцев ay شهر الشهر महीने bulan _month",
        Unit::Month,
    ),
    (
        "year years jahr jahre jahren jahres año años an-u ans année ano anos anno anni jaar rok lata roku lat год года году лет yıl سنة السنة साल tahun _year",
        Unit::Year,
    ),
];

const HOLIDAYS: [(&str, i8, i8); 6] = [
    (
        "christmas xmas weihnachten navidad noël natal natale kerst рождество рождества _christmas",
        12,
        25,
    ),
    ("_christmaseve heiligabend nochebuena", 12, 24),
    ("_newyearseve silvester nochevieja réveillon", 12, 31),
    ("_newyear neujahr", 1, 1),
    ("halloween", 10, 31),
    ("_valentine valentinstag", 2, 14),
];

const LAST: &str = "last past previous letzte letzten letzter letztes letztem vorige vorigen vergangene vergangenen pasada pasado dernier dernière passée passado passada scorsa scorso ultimo vorig vorige afgelopen zeszły zeszłym zeszłą ostatni ostatnia прошлый прошлую прошлой прошлом прошлого geçen الماضي الماضية पिछले lalu _last";
const THIS: &str = "this diese diesen dieser dieses diesem esta este cette ce neste nesta questa questo deze dit tym ten ta этот эту этой этом bu هذا इस ini _this";
const NEXT: &str = "next coming upcoming nächste nächsten nächster nächstes kommende kommenden próxima próximo prochain prochaine prossima prossimo volgende następny następnym przyszły следующий следующую следующей gelecek القادم अगले depan _next";
const AGO: &str = "ago vor hace _ago há atrás fa geleden temu назад önce منذ पहले yang-lalu";
const IN: &str = "in on of during since by early late mid im am en em el le de nel a w we в ở di pada في";

const PHRASES: [(&str, &str); 61] = [
    ("day before yesterday", "_daybefore"),
    ("day after tomorrow", "_dayafter"),
    ("last night", "_lastnight"),
    ("yesterday evening", "_lastnight"),
    ("yesterday night", "_lastnight"),
    ("gestern abend", "_lastnight"),
    ("letzte nacht", "_lastnight"),
    ("anoche", "_lastnight"),
    ("hier soir", "_lastnight"),
    ("ontem à noite", "_lastnight"),
    ("昨晚", " _lastnight "),
    ("昨夜", " _lastnight "),
    ("어젯밤", " _lastnight "),
    ("tonight", "_tonight"),
    ("this morning", "_this _day"),
    ("antes de ayer", "_daybefore"),
    ("avant hier", "_daybefore"),
    ("fin de semana", "_weekend"),
    ("fim de semana", "_weekend"),
    ("il y a", "_ago"),
    ("christmas eve", "_christmaseve"),
    ("new year's eve", "_newyearseve"),
    ("new years eve", "_newyearseve"),
    ("new year's day", "_newyear"),
    ("new year's", "_newyear"),
    ("valentine's day", "_valentine"),
    ("valentines day", "_valentine"),
    ("the other day", " "),
    ("上个星期", " _last _week "),
    ("上星期", " _last _week "),
    ("上个周末", " _last _weekend "),
    ("上周末", " _last _weekend "),
    ("上周", " _last _week "),
    ("这周", " _this _week "),
    ("下周", " _next _week "),
    ("上个月", " _last _month "),
    ("这个月", " _this _month "),
    ("下个月", " _next _month "),
    ("去年", " _last _year "),
    ("今年", " _this _year "),
    ("明年", " _next _year "),
    ("先週末", " _last _weekend "),
    ("先週の", " _last _week "),
    ("先週", " _last _week "),
    ("今週", " _this _week "),
    ("来週", " _next _week "),
    ("先月", " _last _month "),
    ("今月", " _this _month "),
    ("来月", " _next _month "),
    ("지난주말", " _last _weekend "),
    ("지난주", " _last _week "),
    ("이번주", " _this _week "),
    ("다음주", " _next _week "),
    ("지난달", " _last _month "),
    ("이번달", " _this _month "),
    ("작년", " _last _year "),
    ("올해", " _this _year "),
    ("내년", " _next _year "),
    ("hôm qua", "yesterday"),
    ("hôm nay", "today"),
    ("ngày mai", "tomorrow"),
];
