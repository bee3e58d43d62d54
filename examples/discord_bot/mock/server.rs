//! The gateway and the few REST routes that the bot uses.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::{
        Path, State, WebSocketUpgrade,
        ws::{Message as Frame, WebSocket},
    },
    http::{StatusCode, Uri},
    response::Response,
    routing::{any, get, post, put},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
};

use super::payload::{self, Place};

/// What the bot did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Registered these slash commands.
    Commands(Vec<String>),
    /// Shows that it is typing.
    Typing { channel: u64 },
    /// Posted a message.
    Said { channel: u64, text: String },
    /// Answered a slash command.
    Answered { interaction: u64, text: String },
    /// Opened the direct messages with a person.
    OpenedDirect { user: u64 },
    /// Asked for something that is not there.
    Unexpected(String),
}

/// The running server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Name and data of events for the bot.
    pub(crate) events: UnboundedSender<(&'static str, Value)>,
    pub(crate) actions: UnboundedReceiver<Action>,
}

/// Dispatches on their way to the gateway: an event's name and its data.
type Events = UnboundedReceiver<(&'static str, Value)>;

#[derive(Debug, Clone)]
struct Shared {
    address: String,
    actions: UnboundedSender<Action>,
    /// Taken by the first connection to the gateway.
    events: Arc<Mutex<Option<Events>>>,
    posts: Arc<AtomicU64>,
}

/// Starts a server that lives as long as the runtime.
pub(crate) async fn start() -> io::Result<Server> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (actions, done) = mpsc::unbounded_channel();
    let (events, to_send) = mpsc::unbounded_channel();
    let shared = Shared {
        address: address.to_string(),
        actions,
        events: Arc::new(Mutex::new(Some(to_send))),
        posts: Arc::new(AtomicU64::new(1_000_000)),
    };
    let routes = Router::new()
        .route("/", any(gateway))
        .route("/api/v10/gateway/bot", get(recommendation))
        .route("/api/v10/applications/{application}/commands", put(commands))
        .route("/api/v10/channels/{channel}/typing", post(typing))
        .route("/api/v10/channels/{channel}/messages", post(message))
        .route("/api/v10/users/@me/channels", post(direct))
        .route("/api/v10/interactions/{id}/{token}/callback", post(callback))
        .fallback(unexpected)
        .with_state(shared);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(Server {
        address,
        events,
        actions: done,
    })
}

impl Shared {
    fn did(&self, action: Action) {
        // The play may be over already.
        let _ = self.actions.send(action);
    }
}

async fn gateway(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|socket| serve_gateway(shared, socket))
}

async fn serve_gateway(shared: Shared, mut socket: WebSocket) {
    let events = shared
        .events
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let Some(mut events) = events else {
        return shared.did(Action::Unexpected(
            "a second connection to the gateway".to_owned(),
        ));
    };
    if send(&mut socket, &payload::hello()).await.is_err() {
        return;
    }
    let mut sequence = 0;
    let mut identified = false;
    loop {
        let sent = tokio::select! {
            frame = socket.recv() => match opcode(frame) {
                None => return,
                Some(1) => send(&mut socket, &payload::heartbeat_ack()).await,
                Some(2) => {
                    identified = true;
                    sequence += 1;
                    let ready = payload::ready(&shared.address);
                    send(&mut socket, &payload::dispatch(sequence, "READY", &ready)).await
                }
                Some(_) => Ok(()),
            },
            Some((event, data)) = events.recv(), if identified => {
                sequence += 1;
                send(&mut socket, &payload::dispatch(sequence, event, &data)).await
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

/// The opcode of a frame from the bot; `None` when the connection is over.
fn opcode(frame: Option<Result<Frame, axum::Error>>) -> Option<u64> {
    match frame? {
        Ok(Frame::Text(text)) => {
            let payload: Value = serde_json::from_str(&text).ok()?;
            payload["op"].as_u64()
        }
        Ok(Frame::Close(_)) | Err(_) => None,
        Ok(_) => Some(u64::MAX),
    }
}

async fn send(socket: &mut WebSocket, payload: &Value) -> Result<(), axum::Error> {
    socket.send(Frame::Text(payload.to_string().into())).await
}

async fn recommendation(State(shared): State<Shared>) -> Json<Value> {
    Json(payload::gateway(&shared.address))
}

async fn commands(State(shared): State<Shared>, Json(mut commands): Json<Vec<Value>>) -> Json<Vec<Value>> {
    let names = commands.iter().map(|command| text(&command["name"])).collect();
    for (id, command) in (1..).zip(&mut commands) {
        command["id"] = format!("{id}").into();
        command["application_id"] = payload::BOT.to_string().into();
    }
    shared.did(Action::Commands(names));
    Json(commands)
}

async fn typing(State(shared): State<Shared>, Path(channel): Path<u64>) -> StatusCode {
    shared.did(Action::Typing { channel });
    StatusCode::NO_CONTENT
}

async fn message(
    State(shared): State<Shared>,
    Path(channel): Path<u64>,
    Json(posted): Json<Value>,
) -> Json<Value> {
    let text = text(&posted["content"]);
    let id = shared.posts.fetch_add(1, Ordering::Relaxed);
    let answer = payload::message(id, Place { guild: None, channel }, &payload::me(), &text);
    shared.did(Action::Said { channel, text });
    Json(answer)
}

async fn direct(State(shared): State<Shared>, Json(asked): Json<Value>) -> Json<Value> {
    let user = text(&asked["recipient_id"]).parse().unwrap_or(0);
    shared.did(Action::OpenedDirect { user });
    Json(payload::direct_channel(super::play::direct_of(user)))
}

async fn callback(
    State(shared): State<Shared>,
    Path((interaction, _)): Path<(u64, String)>,
    Json(answer): Json<Value>,
) -> StatusCode {
    shared.did(Action::Answered {
        interaction,
        text: text(&answer["data"]["content"]),
    });
    StatusCode::NO_CONTENT
}

async fn unexpected(State(shared): State<Shared>, uri: Uri) -> StatusCode {
    shared.did(Action::Unexpected(uri.to_string()));
    StatusCode::NOT_FOUND
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
