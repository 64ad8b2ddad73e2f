-- The first tables. `{text}` is text that is compared byte by byte, `{serial}` a number that counts rows.
-- Moments are milliseconds since 1970 (UTC). Columns named `search` hold what a search looks through, in lower case.

CREATE TABLE users (
    id {text} PRIMARY KEY,
    username {text} NOT NULL UNIQUE,
    email {text} UNIQUE,
    first_name {text} NOT NULL,
    last_name {text} NOT NULL,
    is_enabled BOOLEAN NOT NULL,
    is_admin BOOLEAN NOT NULL,
    password_hash {text},
    must_change_password BOOLEAN NOT NULL,
    attributes {text} NOT NULL,
    search {text} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE tokens (
    id {text} PRIMARY KEY,
    user_id {text} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    hash {text} NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT
);
CREATE INDEX tokens_of_user ON tokens (user_id);

-- What a person copies from a browser into the client, once.
CREATE TABLE authorization_codes (
    hash {text} PRIMARY KEY,
    user_id {text} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);

CREATE TABLE groups (
    id {text} PRIMARY KEY,
    name {text} NOT NULL UNIQUE,
    -- Lower case, `_` as `-`: names that people confuse are the same.
    name_key {text} NOT NULL UNIQUE,
    display_name {text} NOT NULL,
    attributes {text} NOT NULL,
    search {text} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE members (
    group_id {text} NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    user_id {text} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    is_admin BOOLEAN NOT NULL,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX groups_of_user ON members (user_id);

CREATE TABLE secrets (
    id {text} PRIMARY KEY,
    name {text} NOT NULL UNIQUE,
    display_name {text} NOT NULL,
    kind {text} NOT NULL,
    registry_host {text},
    username {text},
    sealed {text} NOT NULL,
    is_offered_to_all BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE secret_groups (
    secret_id {text} NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
    group_id {text} NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (secret_id, group_id)
);

CREATE TABLE images (
    name {text} PRIMARY KEY,
    display_name {text} NOT NULL,
    description {text} NOT NULL,
    kind {text} NOT NULL,
    url {text},
    -- Null: the same as url.
    url_for_gpu {text},
    pull_secret_id {text} REFERENCES secrets (id),
    -- Null: a system image.
    group_id {text} REFERENCES groups (id),
    is_global BOOLEAN NOT NULL,
    source {text} NOT NULL,
    -- What a custom image is built from next: JSON.
    recipe {text},
    recipe_secret_id {text} REFERENCES secrets (id),
    -- The build whose result is in use.
    build_id {text},
    search {text} NOT NULL,
    sort_name {text} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX images_of_group ON images (group_id);
CREATE INDEX images_by_sort_name ON images (sort_name, name);

CREATE TABLE image_groups (
    image_name {text} NOT NULL REFERENCES images (name) ON DELETE CASCADE,
    group_id {text} NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (image_name, group_id)
);
CREATE INDEX images_shared_with_group ON image_groups (group_id);

-- Custom image specs of the Image Builder.
CREATE TABLE specs (
    name {text} PRIMARY KEY,
    recipe {text} NOT NULL,
    recipe_secret_id {text} REFERENCES secrets (id),
    -- The latest image that was built.
    url {text},
    build_id {text},
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- How many builds a name has had: it outlives the image, so that no tag is ever given twice.
CREATE TABLE build_numbers (
    subject_kind {text} NOT NULL,
    subject {text} NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (subject_kind, subject)
);

CREATE TABLE builds (
    id {text} PRIMARY KEY,
    -- `image` or `spec`, and its name.
    subject_kind {text} NOT NULL,
    subject {text} NOT NULL,
    number BIGINT NOT NULL,
    group_id {text},
    status {text} NOT NULL,
    recipe {text} NOT NULL,
    recipe_secret_id {text},
    spec_hash {text} NOT NULL,
    tag {text} NOT NULL,
    requested_by {text} NOT NULL,
    requested_by_name {text} NOT NULL,
    requested_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    updated_at BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    worker {text},
    lease_until BIGINT,
    -- Counts claims: who holds an older number has lost the build.
    fence BIGINT NOT NULL,
    is_cancel_requested BOOLEAN NOT NULL,
    publish_granted_at BIGINT,
    stages {text} NOT NULL,
    result {text},
    error {text},
    base_digest {text},
    url {text},
    digest {text},
    gpu_url {text},
    gpu_digest {text},
    pull_secret_id {text},
    size_bytes BIGINT,
    -- The image or spec was deleted: what was pushed may go.
    orphaned_at BIGINT,
    -- What was pushed is gone.
    removed_at BIGINT,
    UNIQUE (subject_kind, subject, number)
);
CREATE INDEX builds_by_status ON builds (status, requested_at);
CREATE INDEX builds_of_group ON builds (group_id, requested_at);

CREATE TABLE audit (
    id {serial},
    at BIGINT NOT NULL,
    actor_id {text},
    actor_name {text} NOT NULL,
    action {text} NOT NULL,
    object_kind {text} NOT NULL,
    object_id {text} NOT NULL,
    group_id {text},
    address {text},
    detail {text} NOT NULL
);
CREATE INDEX audit_by_time ON audit (at);
