//! Sealing what must not be readable in the database, and hashing what only has to be recognised. Promises: authenticated
//! encryption, a key for each purpose, keys never shown. Must not know what is sealed.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};

use crate::config::SecretKey;
use crate::kernel::ids::random_bytes;
use crate::kernel::{Error, Result};

/// First byte of sealed data; another layout gets another number.
const VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 4;
const NONCE_BYTES: usize = 24;
const HEADER_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_BYTES;

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// What came of sealing things again after the key was changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Things that the current key seals now.
    pub done: u64,
    /// Things that none of the keys opens; they stay as they are.
    pub lost: u64,
}

/// Seals and opens with the keys of the installation. Cheap to clone is not needed: share it.
pub struct Secrets {
    /// The key that seals comes first; the others only open.
    keys: Vec<Keys>,
}

struct Keys {
    id: [u8; KEY_ID_BYTES],
    cipher: XChaCha20Poly1305,
    hashing: Hash,
}

impl Keys {
    fn derive(master: &SecretKey) -> Self {
        // One key per purpose, so that no use can weaken another.
        let sealing = hmac(master.expose(), b"meridian/seal/1");
        let id = Sha256::digest(hmac(master.expose(), b"meridian/key-id/1"));
        Self {
            id: [id[0], id[1], id[2], id[3]],
            cipher: XChaCha20Poly1305::new(Key::from_slice(&sealing)),
            hashing: hmac(master.expose(), b"meridian/hash/1"),
        }
    }
}

impl Secrets {
    /// The current key first, then older ones. Without a key nothing can be sealed or opened.
    pub fn new(keys: &[SecretKey]) -> Self {
        Self {
            keys: keys.iter().map(Keys::derive).collect(),
        }
    }

    /// Encrypts `plain`. `context` says where the result is stored, for example workspace and column: only there can it be opened,
    /// so that a row copied elsewhere is worthless.
    pub fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>> {
        let keys = self.current()?;
        let nonce: [u8; NONCE_BYTES] = random_bytes()?;
        let sealed = keys
            .cipher
            .encrypt(
                XNonce::from_slice(&nonce),
                Payload {
                    msg: plain,
                    aad: context,
                },
            )
            .map_err(|_| Error::internal("sealing failed"))?;
        Ok([&[VERSION], keys.id.as_slice(), nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what [`Self::seal`] made with the same `context`, with the current or an older key.
    pub fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>> {
        let (Some(header), Some(body)) = (sealed.get(..HEADER_BYTES), sealed.get(HEADER_BYTES..)) else {
            return Err(Error::internal("sealed data is cut short"));
        };
        if header[0] != VERSION {
            return Err(Error::internal(format!(
                "sealed data has the unknown layout {}",
                header[0]
            )));
        }
        let (id, nonce) = header[1..].split_at(KEY_ID_BYTES);
        let keys = self.keys.iter().find(|keys| keys.id == id);
        let keys =
            keys.ok_or_else(|| Error::internal("sealed data belongs to a key that is not configured"))?;
        keys.cipher
            .decrypt(
                XNonce::from_slice(nonce),
                Payload {
                    msg: body,
                    aad: context,
                },
            )
            .map_err(|_| Error::internal("sealed data was changed or moved"))
    }

    /// Whether the current key sealed this.
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        let id = sealed.get(1..=KEY_ID_BYTES);
        id.is_some() && id == self.keys.first().map(|keys| keys.id.as_slice())
    }

    /// Whether one of the keys sealed this.
    pub fn knows(&self, sealed: &[u8]) -> bool {
        let id = sealed.get(1..=KEY_ID_BYTES);
        self.keys.iter().any(|keys| id == Some(keys.id.as_slice()))
    }

    /// A hash that only this installation can make; `purpose` keeps uses apart. For secrets that are too short to hash plainly.
    pub fn keyed_hash(&self, purpose: &str, data: &[u8]) -> Result<Hash> {
        let purpose_key = hmac(&self.current()?.hashing, purpose.as_bytes());
        Ok(hmac(&purpose_key, data))
    }

    fn current(&self) -> Result<&Keys> {
        self.keys
            .first()
            .ok_or_else(|| Error::internal("no secret key is configured"))
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(***)")
    }
}

/// HMAC-SHA256 (RFC 2104) for keys of 32 bytes, which is all that is needed here.
fn hmac(key: &Hash, data: &[u8]) -> Hash {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(key).for_each(|(block, key)| *block ^= key);
        block
    };
    let inner = Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(data)
        .finalize();
    Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn secrets(keys: &[u8]) -> Secrets {
        Secrets::new(
            &keys
                .iter()
                .map(|byte| Secret::new([*byte; 32]))
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn what_is_sealed_opens_only_in_its_place() {
        let secrets = secrets(&[1]);
        let sealed = secrets.seal(b"hunter2", b"ws1/integrations.credentials").unwrap();
        assert_eq!(
            secrets.open(&sealed, b"ws1/integrations.credentials").unwrap(),
            b"hunter2"
        );
        assert!(secrets.open(&sealed, b"ws2/integrations.credentials").is_err());
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_ne!(
            sealed,
            secrets.seal(b"hunter2", b"ws1/integrations.credentials").unwrap()
        );
    }

    #[test]
    fn no_changed_byte_goes_unnoticed() {
        let secrets = secrets(&[1]);
        let sealed = secrets.seal(b"x", b"").unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(secrets.open(&changed, b"").is_err(), "byte {index}");
            assert!(secrets.open(&sealed[..index], b"").is_err(), "cut at {index}");
        }
    }

    #[test]
    fn older_keys_open_and_newer_ones_seal() {
        let sealed = secrets(&[1]).seal(b"x", b"c").unwrap();
        let rotated = secrets(&[2, 1]);
        assert_eq!(rotated.open(&sealed, b"c").unwrap(), b"x");
        assert!(
            secrets(&[2])
                .open(&rotated.seal(b"x", b"c").unwrap(), b"c")
                .is_ok()
        );
        assert!(secrets(&[2]).open(&sealed, b"c").is_err());
        assert!(secrets(&[]).seal(b"x", b"c").is_err());
        assert!(!rotated.is_current(&sealed) && secrets(&[1]).is_current(&sealed));
        assert!(!rotated.is_current(b"") && !secrets(&[]).is_current(&sealed));
        assert!(rotated.knows(&sealed) && !secrets(&[2]).knows(&sealed) && !rotated.knows(b""));
    }

    #[test]
    fn hashes_differ_by_purpose_and_key() {
        let hash = |key: u8, purpose: &str| secrets(&[key]).keyed_hash(purpose, b"data").unwrap();
        assert_eq!(hash(1, "feed"), hash(1, "feed"));
        assert_ne!(hash(1, "feed"), hash(1, "hook"));
        assert_ne!(hash(1, "feed"), hash(2, "feed"));
    }

    #[test]
    fn the_keyed_hash_is_the_standard_one() {
        // Computed with another implementation, Python's `hmac`.
        let expected = "8b8802e7e67518f153f1daedc49dab7cd5f477baecfe63828e63bb5e376a285f";
        let key: Hash = std::array::from_fn(|index| u8::try_from(index).unwrap());
        let found: String = hmac(&key, b"meridian")
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(found, expected);
    }
}
