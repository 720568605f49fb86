//! Cloud storage: whom a service knows, and the buckets that this opens.

use super::fields::LIFECYCLE;
use crate::schema::{Field, Object, Target, Type, Unknown};

static ACCESS: Target = Target { what: "access to AWS", kinds: &["config.aws"] };

pub(super) static AWS: Object = Object {
    fields: &[
        Field::required("region", Type::Text, "write `region: us-east-1`, where the buckets are"),
        Field::new("access_key_id", Type::Text),
        Field::new("secret_access_key", Type::Text),
        Field::new("region_env", Type::Text),
        Field::new("access_key_id_env", Type::Text),
        Field::new("secret_access_key_env", Type::Text),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};

pub(super) static BUCKET: Object = Object {
    fields: &[
        Field::required("bucket", Type::Text, "write `bucket: my-bucket`, its name at the service"),
        Field::required("config", Type::Ref(&ACCESS), "write `config: name`, an entry of kind `config.aws`"),
        Field::new("endpoint", Type::Text),
        Field::new("bucket_env", Type::Text),
        Field::new("endpoint_env", Type::Text),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};
