//! What sentences of the other languages state.

mod common;

use common::check;

macro_rules! languages {
    ($($name:ident: $cases:expr;)*) => { $(
        #[test]
        fn $name() {
            check(stringify!($name), $cases);
        }
    )* };
}

languages! {
    de: &[
        ("Ich wohne in Freiburg.", &["residence = Freiburg"]),
        ("wir sind letzten Monat nach Leipzig gezogen", &["residence = Leipzig"]),
        ("Ich bin Tischler", &["occupation = Tischler"]),
        ("ich arbeite als Grundschullehrerin", &["occupation = Grundschullehrerin"]),
        ("meine Schwester heißt Frieda", &["sibling = Frieda (schwester)"]),
        ("Ich bin allergisch gegen Nüsse und Hafer", &["allergy = Nüsse", "allergy = Hafer"]),
        ("unser Hund heißt Bruno", &["pet = Bruno (hund)"]),
        ("Ich mag keine Oliven", &["dislike = Oliven"]),
        ("Wenn ich in Rom wohnen würde", &[]),
        ("Meine Schwester wohnt in Kiel", &["sibling = schwester (schwester): wohnt in Kiel"]),
        ("Wohne ich in Kiel?", &[]),
    ];
    es: &[
        ("Vivo en Sevilla", &["residence = Sevilla"]),
        ("soy carpintera", &["occupation = carpintera"]),
        ("mi hermano se llama Bruno", &["sibling = Bruno (hermano)"]),
        ("soy alérgico al polen", &["allergy = polen"]),
        ("no me gusta el cilantro", &["dislike = cilantro"]),
        ("me encanta el jazz", &["like = jazz"]),
        ("mi gata se llama Luna", &["pet = Luna (gata)"]),
        ("si viviera en Roma sería feliz", &[]),
    ];
    fr: &[
        ("J'habite à Rennes", &["residence = Rennes"]),
        ("je suis infirmier", &["occupation = infirmier"]),
        ("ma sœur s'appelle Odile", &["sibling = Odile (sœur)"]),
        ("je suis allergique aux noix", &["allergy = noix"]),
        ("je déteste les champignons", &["dislike = champignons"]),
        ("notre chat s'appelle Moka", &["pet = Moka (chat)"]),
        ("si j'habitais à Rome", &[]),
    ];
    pt: &[
        ("Moro em Fortaleza", &["residence = Fortaleza"]),
        ("sou padeiro", &["occupation = padeiro"]),
        ("meu irmão se chama Tadeu", &["sibling = Tadeu (irmão)"]),
        ("sou alérgico a amendoim", &["allergy = amendoim"]),
        ("não gosto de coentro", &["dislike = coentro"]),
        ("minha gata se chama Pipoca", &["pet = Pipoca (gata)"]),
    ];
    ru: &[
        ("Я живу в Омске", &["residence = Омске"]),
        ("я работаю учителем", &["occupation = учителем"]),
        ("моего брата зовут Лев", &["sibling = Лев (брата)"]),
        ("у меня аллергия на орехи", &["allergy = орехи"]),
        ("я не люблю оливки", &["dislike = оливки"]),
        ("нашу собаку зовут Найда", &["pet = Найда (собаку)"]),
        ("если бы я жил в Риме", &[]),
    ];
    zh: &[
        ("我住在杭州", &["residence = 杭州"]),
        ("我是护士", &["occupation = 护士"]),
        ("我弟弟叫小刚", &["sibling = 小刚 (弟弟)"]),
        ("我对芒果过敏", &["allergy = 芒果"]),
        ("我不喜欢香菜", &["dislike = 香菜"]),
        ("我喜欢爵士乐", &["like = 爵士乐"]),
        ("我妹妹住在广州", &["sibling = 妹妹 (妹妹): 住在广州"]),
        ("你住在哪里？", &[]),
    ];
    ja: &[
        ("札幌に住んでいます", &["residence = 札幌"]),
        ("私は看護師です", &["occupation = 看護師"]),
        ("弟の名前は悠斗です", &["sibling = 悠斗 (弟)"]),
        ("卵アレルギーがあります", &["allergy = 卵"]),
        ("猫の名前はタマです", &["pet = タマ (猫)"]),
        ("ジャズが好きです", &["like = ジャズ"]),
        ("パクチーが苦手です", &["dislike = パクチー"]),
        ("どこに住んでいますか？", &[]),
    ];
    ko: &[
        ("나는 부산에 살아", &["residence = 부산"]),
        ("저는 간호사입니다", &["occupation = 간호사"]),
        ("내 남동생 이름은 민수야", &["sibling = 민수 (남동생)"]),
        ("나는 새우 알레르기가 있어", &["allergy = 새우"]),
        ("우리 강아지 이름은 초코야", &["pet = 초코 (강아지)"]),
        ("나는 재즈를 좋아해", &["like = 재즈"]),
        ("나는 오이를 싫어해", &["dislike = 오이"]),
    ];
    it: &[
        ("Abito a Bologna", &["residence = Bologna"]),
        ("faccio l'infermiera", &["occupation = infermiera"]),
        ("mia sorella si chiama Giada", &["sibling = Giada (sorella)"]),
        ("sono allergica alle noci", &["allergy = noci"]),
        ("il mio cane si chiama Argo", &["pet = Argo (cane)"]),
        ("mi piace il jazz", &["like = jazz"]),
    ];
    nl: &[
        ("Ik woon in Utrecht", &["residence = Utrecht"]),
        ("ik ben verpleegkundige", &["occupation = verpleegkundige"]),
        ("mijn zus heet Fleur", &["sibling = Fleur (zus)"]),
        ("ik ben allergisch voor noten", &["allergy = noten"]),
        ("mijn kat heet Saar", &["pet = Saar (kat)"]),
        ("ik hou van jazz", &["like = jazz"]),
    ];
    pl: &[
        ("Mieszkam w Gdańsku", &["residence = Gdańsku"]),
        ("jestem pielęgniarką", &["occupation = pielęgniarką"]),
        ("moja siostra ma na imię Zofia", &["sibling = Zofia (siostra)"]),
        ("mam alergię na orzechy", &["allergy = orzechy"]),
        ("mój pies wabi się Azor", &["pet = Azor (pies)"]),
        ("lubię jazz", &["like = jazz"]),
    ];
    tr: &[
        ("Benim adım Deniz", &["name = Deniz"]),
        ("öğretmenim", &["occupation = öğretmenim"]),
        ("İzmir'de yaşıyorum", &["residence = İzmir"]),
        ("kedimin adı Pamuk", &["pet = Pamuk (kedimin)"]),
        ("kız kardeşimin adı Elif", &["sibling = Elif (kız kardeşimin)"]),
        ("caz seviyorum", &["like = caz"]),
    ];
    ar: &[
        ("اسمي ليلى", &["name = ليلى"]),
        ("أعيش في عمان", &["residence = عمان"]),
        ("أنا مهندسة", &["occupation = مهندسة"]),
        ("أختي اسمها سلمى", &["sibling = سلمى (أختي)"]),
    ];
    hi: &[
        ("मेरा नाम रवि है", &["name = रवि"]),
        ("मैं पुणे में रहता हूँ", &["residence = पुणे"]),
        ("मुझे मूंगफली से एलर्जी है", &["allergy = मूंगफली"]),
        ("मेरी बहन का नाम मीरा है", &["sibling = मीरा (बहन)"]),
    ];
    id: &[
        ("nama saya Dewi", &["name = Dewi"]),
        ("saya tinggal di Bandung", &["residence = Bandung"]),
        ("saya seorang perawat", &["occupation = perawat"]),
        ("saya alergi udang", &["allergy = udang"]),
        ("kucing saya namanya Oyen", &["pet = Oyen (kucing)"]),
    ];
    vi: &[
        ("tôi tên là Minh", &["name = Minh"]),
        ("tôi sống ở Huế", &["residence = Huế"]),
        ("tôi là y tá", &["occupation = y tá"]),
        ("tôi bị dị ứng tôm", &["allergy = tôm"]),
    ];
    th: &[
        ("ผมชื่อ สมชาย", &["name = สมชาย"]),
        ("ผมอยู่ที่ เชียงใหม่", &["residence = เชียงใหม่"]),
        ("ฉันแพ้กุ้ง", &["allergy = กุ้ง"]),
        ("ฉันเป็นพยาบาล", &["occupation = พยาบาล"]),
    ];
}
