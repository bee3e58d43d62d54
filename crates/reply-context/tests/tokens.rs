//! The estimate beside the tokenizers it stands for.
#![cfg(feature = "tiktoken-rs")]

use whisperengine_reply_context::{ScriptEstimate, Tiktoken, TokenCounter};

const TEXTS: [(&str, &str); 18] = [
    (
        "en",
        "My sister is coming over on Saturday, so I should probably vacuum and hide the broken lamp. She never notices the lamp, but she always notices the dust. Do you think soup is enough for dinner?",
    ),
    (
        "en",
        "Invoice 20391 was due on 14 March; they added a fee of 12.50 and gave me until the 30th. Call 020 7946 0958 or write to billing@example.org.",
    ),
    (
        "de",
        "Gestern bin ich mit dem Fahrrad zur Arbeit gefahren, obwohl es geregnet hat. Meine Kollegin meinte, ich sei verrückt, aber ich fand es eigentlich ganz erfrischend.",
    ),
    (
        "fr",
        "Ma grand-mère fête ses quatre-vingts ans dimanche et toute la famille vient. Je dois encore trouver un cadeau, peut-être un album avec des photos de son enfance.",
    ),
    (
        "es",
        "El martes tengo la entrevista en la clínica y estoy bastante nerviosa. Mi hermano dice que todo saldrá bien, pero no he dormido nada esta semana.",
    ),
    (
        "pt",
        "O meu vizinho toca trompete às seis da manhã e ninguém diz nada. Ontem deixei um bilhete na porta dele, vamos ver se resulta.",
    ),
    (
        "it",
        "Stamattina ho perso il treno e sono arrivato tardi alla riunione. Il capo non si è arrabbiato, anzi, mi ha offerto un caffè.",
    ),
    (
        "nl",
        "Volgende week verhuis ik eindelijk naar Utrecht en ik heb nog geen enkele doos ingepakt. Kun je me eraan herinneren dat ik de sleutels moet ophalen?",
    ),
    (
        "pl",
        "Moja córka zaczęła chodzić do przedszkola i codziennie rano płacze. Pani mówi, że po chwili się uspokaja, ale i tak jest mi ciężko.",
    ),
    (
        "tr",
        "Dün akşam annem aradı ve köydeki evi satmak istediğini söyledi. Çocukluğum orada geçti, o yüzden biraz üzüldüm.",
    ),
    (
        "ru",
        "Вчера мы с мужем ездили на дачу и посадили яблони. Спина болит, зато погода была чудесная, и соседи угостили нас пирогом.",
    ),
    (
        "ar",
        "غدا عندي موعد عند طبيب الأسنان وأنا خائف قليلا. في المرة السابقة انتظرت ساعتين ثم قالوا إن الطبيب مريض.",
    ),
    (
        "hi",
        "कल मेरी बहन की शादी है और घर में बहुत शोर है। मुझे अभी तक अपना कुर्ता नहीं मिला और सब मुझसे नाराज़ हैं।",
    ),
    (
        "zh",
        "昨天我和朋友去爬山，走到一半下起了大雨，我们在亭子里等了一个小时。回家以后我喝了姜茶，希望不要感冒。",
    ),
    (
        "ja",
        "来月から大阪の支社に転勤することになりました。引っ越しの準備がまだ終わっていないので、少し焦っています。",
    ),
    (
        "ko",
        "어제 면접을 봤는데 너무 긴장해서 말을 더듬었어요. 결과는 다음 주에 나온다고 하니까 그때까지는 잊고 지내려고요.",
    ),
    (
        "id",
        "Kemarin saya lupa membawa payung dan basah kuyup di halte bus. Untung ada seorang ibu yang meminjamkan jaketnya kepada saya.",
    ),
    (
        "th",
        "เมื่อวานฉันไปตลาดกับแม่และซื้อมะม่วงมาเยอะมาก วันนี้เลยต้องทำข้าวเหนียวมะม่วงแจกเพื่อนบ้าน",
    ),
];

#[test]
fn the_estimate_seldom_errs_to_the_low_side() {
    let (old, new) = (Tiktoken::cl100k(), Tiktoken::o200k());
    let (mut estimated, mut counted) = (0, 0);
    for (language, text) in TEXTS {
        let estimate = ScriptEstimate.count(text);
        let (most, least) = (old.count(text).max(new.count(text)), new.count(text));
        println!("{language}: {estimate} estimated, {most} cl100k, {least} o200k");
        assert!(
            f64::from(estimate) >= 0.85 * f64::from(most),
            "{language}: {estimate} of {most}"
        );
        assert!(
            f64::from(estimate) <= 1.35 * f64::from(most),
            "{language}: {estimate} of {most}"
        );
        estimated += estimate;
        counted += most;
    }
    assert!(estimated >= counted, "{estimated} of {counted}");
}

#[test]
fn the_budget_holds_with_the_real_tokenizer() {
    use std::sync::Arc;

    use whisperengine_reply_context::{ContextAssembler, ContextInput, openai_messages};
    use whisperengine_types::DialogueLine;

    let counter = Arc::new(Tiktoken::o200k());
    let assembler = ContextAssembler::default().with_counter(counter.clone());
    let line = |text: &str, from_bot| DialogueLine {
        id: None,
        from_bot,
        name: None,
        text: text.to_owned(),
        at: whisperengine_types::Timestamp::default(),
    };
    let dialogue: Vec<_> = TEXTS
        .iter()
        .enumerate()
        .map(|(n, (_, text))| line(text, n % 2 == 1))
        .collect();
    let message = line("and?", false);
    let mut input = ContextInput::new("Ember", "Ana", &message, message.at);
    input.dialogue = &dialogue;
    for budget in [250, 400, 600, 900] {
        input.budget_tokens = Some(budget);
        let context = assembler.assemble(&input);
        assert!(context.report.tokens <= budget);
        let sent: u32 = openai_messages(&context)
            .iter()
            .map(|sent| counter.count(&sent.content) + 4)
            .sum();
        assert!(sent + 3 <= budget, "{sent} of {budget}");
        assert!(!context.dialogue.is_empty());
    }
}
