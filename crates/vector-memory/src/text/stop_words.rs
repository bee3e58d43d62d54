//! Words that say nothing about what a text is about, by language.
//!
//! "die" is an article in German and a verb in English, so a word is judged by the language of its text:
//! that whose words of this kind the text has most of.

use std::{collections::HashMap, hash::BuildHasherDefault, sync::LazyLock};

use super::{HashOfHash, word_hash};

/// A set of languages, one bit each.
pub(super) type Languages = u32;

/// The languages in which `word`, in lower case, is too common to search for.
pub(super) fn stops_in(word: &str) -> Languages {
    if word.len() > LONGEST {
        return 0;
    }
    STOP_WORDS.get(&word_hash(word)).copied().unwrap_or(0)
}

/// Whether `word` is an English stop word but for one letter that is missing, doubled, exchanged with its
/// neighbour or too many.
pub(crate) fn nearly_stops(word: &str) -> bool {
    if !(3..=8).contains(&word.len()) || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return false;
    }
    let stops = |bytes: &[u8]| {
        std::str::from_utf8(bytes).is_ok_and(|word| word.len() >= 4 && stops_in(word) & ENGLISH != 0)
    };
    let bytes = word.as_bytes();
    (0..bytes.len()).any(|at| {
        let mut changed = bytes.to_vec();
        if at > 0 {
            changed.swap(at - 1, at);
            if stops(&changed) {
                return true;
            }
            changed.swap(at - 1, at);
        }
        changed.remove(at);
        if stops(&changed) {
            return true;
        }
        changed.insert(at, b'a');
        changed.insert(at, b'a');
        (b'a'..=b'z').any(|letter| {
            changed[at] = letter;
            changed[at + 1] = bytes[at];
            stops(&changed)
        })
    })
}

/// Counts for each language the words that are common in it.
#[derive(Debug, Default)]
pub(super) struct LanguageVotes([u16; LISTS.len()]);

impl LanguageVotes {
    /// Adds a word that is common in `languages`.
    pub(super) fn add(&mut self, languages: Languages) {
        let mut rest = languages;
        while rest != 0 {
            let language = rest.trailing_zeros() as usize;
            self.0[language] = self.0[language].saturating_add(1);
            rest &= rest - 1;
        }
    }

    /// The languages with the most votes; with English among them English alone, which is the first.
    pub(super) fn winners(&self) -> Languages {
        let most = self.0.iter().copied().max().unwrap_or(0);
        if self.0[0] == most {
            return ENGLISH;
        }
        let winners = (0..LISTS.len()).filter(|&language| self.0[language] == most);
        winners.fold(0, |bits, language| bits | 1 << language)
    }
}

/// Builds the table, so that no message has to wait for it.
pub(super) fn prepare() {
    LazyLock::force(&STOP_WORDS);
}

static STOP_WORDS: LazyLock<HashMap<u32, Languages, BuildHasherDefault<HashOfHash>>> = LazyLock::new(|| {
    let mut words = HashMap::default();
    for (language, list) in LISTS.iter().enumerate() {
        for word in list.split_whitespace() {
            *words.entry(word_hash(word)).or_insert(0) |= 1 << language;
        }
    }
    words
});

/// The bit of English.
pub(super) const ENGLISH: Languages = 1;
/// The bit of German, which writes every noun with a capital.
pub(super) const GERMAN: Languages = 2;
/// In bytes.
const LONGEST: usize = 24;

const LISTS: [&str; 14] = [
    "a about after again all also am an and any are aren't as at be because been before being both but by
can can't could couldn't did didn't do does doesn't doing don't during each either ever every for from further
get gets getting got had hadn't has hasn't have haven't having he he'd he'll her here hers herself he's him
himself his how i i'd if i'll i'm in into is isn't it it'd it'll its itself it's i've just let's like lot lots
may me might more most much must my myself no nor not now of off oh ok okay on once one only or other our ours
ourselves out over own really same shall she she'd she'll she's should shouldn't so some still such than that
that's the their theirs them themselves then there there's these they they'd they'll they're they've this those
through to too under until up us very was wasn't we we'd we'll were we're weren't we've what what's when where
where's which while who whom who's whos whats wheres whose why will with won't would wouldn't yeah yes you you'd
you'll your you're yours yourself you've im ive dont cant u ur
please kinda gonna wanna gotta hey hi hello lol wat",
    "aber alle alles als also am an auch auf aus bei beim bin bis bist da dabei damit dann das dass dazu dein deine
deinem deinen deiner dem den denn der des dich die dies diese diesem diesen dieser dir doch dort du durch ein eine
einem einen einer eines er es euch euer für gegen gerade gibt habe haben hast hat hatte hatten hier ich ihm ihn
ihnen ihr ihre ihren im in ist ja jetzt kann kein keine können man mein meine meinem meinen meiner mich mir mit
nach nicht noch nun nur ob oder schon sehr sein seine seit sich sie sind so über um und uns unser unsere unter
vom von vor war waren warum was weil welche welchem welchen welcher welches wem wen wenn wer werde werden wie
wieder wir wird wo woher wohin wogegen womit wurde zu zum zur mal eigentlich nochmal bitte eben halt wäre würde",
    "a al algo ahora ante aquí así aunque bien cada como cómo con cuál cual cuáles cuando cuándo cuánto cuántos de
del desde donde dónde dos el él ella ellas ellos en entre era es esa ese eso esta está están este esto estoy estas
fue ha había hace han hasta hay he hemos la las le les lo los más me mi mis mucho muy nada ni no nos nosotros o
os otra otro para pero por porque qué que quien quién quiénes se sea ser si sí sido sin sobre son soy su sus
también tan te tengo tiene tienes todo todos tu tú tus un una uno unos y ya yo mí ti es",
    "a à ai ainsi alors as au aucun aussi autre aux avait avec avez avoir avons c'est ça ce cela ces cet cette
chez ci comme comment d'un d'une dans de des donc du elle elles en encore es est et été être eu eux fait il ils
j'ai j'avais j'étais je l la là le les leur leurs lui ma mais me même mes moi mon n'ai n'est ne nos notre nous on
ont où ou par pas peu plus pour pourquoi qu'est-ce qu'il qu quand que quel quelle quelles quels qui quoi sa sans se
ses si son sont suis sur ta te tes toi ton tous tout toute très tu un une va vos votre vous y à c'était qu'elle
qu'on qu'est déjà bien",
    "a ao aos aquele aquela as até com como da das de dela dele deles depois do dos e é ela elas ele eles em entre
era eram essa esse esta está estão estas este estou eu foi foram há isso isto já lá lhe mais mas me mesmo meu
meus minha minhas muito na nas não nem no nos nós nossa nosso num numa o os ou para pela pelo por porque pra qual
quais quando quanto que quê quem se sem ser seu seus sua suas só são também te tem tenho ter teu tinha tu tua um
uma umas você vocês onde aonde agora eu",
    "a ad ai al alla alle allo anche ancora avere aveva c'è che chi ci come con cosa cui da dal dalla dei del della
delle dello di dove e è ed era eri essere fa faccio fra gli ha hai hanno ho i il in io l la le lei li lo loro lui
ma me mi mia mie miei mio molto ne nei nel nella no noi non nostra nostro o per perché più poi può quale quali
quando quanto quella quello questa questo qui se sei si sì sia siamo sono sta sto su sua sue suo sul sulla suoi te
ti tra tu tua tuo tutti tutto un una uno vi voi cos'è qual",
    "aan al alles als altijd ben bij daar dan dat de der deze die dit doch doen door dus een en er ge geen had heb
hebben heeft hem het hier hij hoe hun ik in is ja je jij jou jouw kan kon maar me meer men met mij mijn moet na naar
niet nog nu of om onder ons onze ook op over reeds te tegen toch toen tot u uit uw van veel voor want waar waarom was
wat we wel welk welke wie wij wil wordt zal ze zei zich zij zijn zo zonder zou",
    "a aby ale bez być był była było były by byłem byłam ci co coś czy dla do dwa gdy gdzie go i ich ile im ja jak
jaka jaki jakie jako je jego jej jest jestem jeszcze już każdy kiedy kogo kto która które który ku ma mam masz mi
mnie moi moja moje mojego mojej mój może my na nad nam nas nasz nie nic nich nim niż o od on ona one oni ono po
pod przed przez przy się są sobie ta tak także tam te tego tej ten też to tobie tu twój ty tylko w we więc wy z za
ze że",
    "а без был была были было быть в вам вас во вот все всё вы где да даже для до его ее её ей ему если есть еще ещё
же за здесь и из или им их к как какая какие какой каком каким какую кем ко когда кого которая которые который кто
куда ли лишь меня мне мной мог моего моей мое моё моему моем моём мои моих мой мою моя мы на над нам нас наш не него
нее неё нет ни них но ну о об он она они оно от откуда очень по под после потому почему при про раз с сам сейчас
себя со так также там тебя тебе то того тоже только том тот ты у уже чего чем что чтобы чья эта эти это этого этой
этом этот я",
    "acaba ama ancak artık az bana bazı belki ben bende beni benim bir biraz biz bize bizi bizim bu buna bunda bunu
burada çok çünkü da daha de defa değil diye en gibi hangi hani hem hep hepsi her hiç için ile ise kadar kaç ki kim
kime kimi mı mi mu mü nasıl ne neden nedir nerede nereden nereye niçin niye o olan olarak oldu olduğu ona onlar
onu onun orada oysa öyle sana sanki şey sen seni senin siz sizi şimdi şu tüm var ve veya ya yani yok",
    "أنا انا أنت انت هو هي نحن هم في من إلى الى على عن مع هل ما ماذا لماذا متى أين اين كيف كم أي اي الذي التي هذا هذه
ذلك تلك كان كانت كنت يكون لا لم لن ليس قد و أو او ثم لكن إن ان أن كل بعد قبل عند لي لك له لها لنا بي به بها فيه فيها
منه منها عليه عليها إلا الا أيضا ايضا جدا يا مش شو ايه",
    "मैं मैंने मुझे मुझको मेरा मेरी मेरे हम हमारा हमारी तुम तुम्हारा आप आपका आपकी वह वे यह ये उस उसका उसकी उसके इस इसका इसकी का की
के को से में पर ने तक और या लेकिन कि जो क्या कौन कब कहाँ कहां कैसे क्यों कितना कितने कितनी किस किसने है हैं हूँ हूं था थी थे हो होता होती
होते कर करता करती करते किया रहा रही रहे गया गई गए भी ही तो नहीं मत ना न एक कुछ सब बहुत अब जब तब फिर साथ लिए बारे",
    "ada adalah agar aku anda apa apakah apabila atau bagaimana bagi bahwa banyak begitu belum berapa bisa boleh
bukan dan dari dengan di dia dong harus hanya ini itu jadi jika juga kalau kami kamu kan kapan karena kata ke kita
kok lagi lah mana masih mau mereka mengapa namun nggak gak nih oleh pada pernah pun saat saja sama sampai sangat saya
sebagai sebuah sedang seperti serta siapa sih sudah supaya tapi telah tentang tetapi tidak untuk ya yaitu yang ku mu
nya dimana",
    "ai anh bạn bao bị bởi các cái cho chưa chứ có của cùng cũng đã đang đâu đây đấy để đến đi đó được em gì hay hơn khi
không là lại làm lúc mà mày mình mỗi một nào này nên nếu ngay nhé nhiều như nhưng những ở ơi phải qua ra rất rồi sao
sau sẽ ta tao tại theo thì thế tôi tới trên trong tự từ và vào vẫn vậy về vì với nhỉ ấy à ạ",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn language_of(text: &str) -> Languages {
        let mut votes = LanguageVotes::default();
        text.split(' ').for_each(|word| votes.add(stops_in(word)));
        votes.winners()
    }

    #[test]
    fn a_text_is_of_the_language_whose_common_words_it_has() {
        for (text, language) in [
            ("where do i live", 0),
            ("wo wohne ich denn", 1),
            ("en qué ciudad vivo yo ahora", 2),
            ("je joue de quel instrument", 3),
            ("qual é a minha cor", 4),
            ("di che cosa ho paura", 5),
            ("waar woon ik nu met mijn hond", 6),
            ("gdzie jest mój pies", 7),
            ("где я живу", 8),
            ("benim köpek nerede", 9),
            ("أين هو من في", 10),
            ("मेरा नाम क्या है", 11),
            ("siapa nama yang saya", 12),
            ("tôi ở đâu", 13),
        ] {
            assert_eq!(language_of(text), 1 << language, "{text}");
        }
        assert_eq!(language_of("xyzzy"), ENGLISH);
    }

    #[test]
    fn only_whole_words_of_the_lists_are_stop_words() {
        for list in LISTS {
            assert!(
                list.split_whitespace()
                    .all(|word| stops_in(word) != 0 && word.len() <= LONGEST)
            );
        }
        for word in ["", "dog", "themselve", "themselvesx", "y\u{e9}s"] {
            assert_eq!(stops_in(word), 0, "{word}");
        }
    }
}
