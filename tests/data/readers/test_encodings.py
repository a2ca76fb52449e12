"""Text of neighbours: what is in the letters of one is not read as those of another in silence."""

import random

import pytest

from helpers.data.readers import encodings
from helpers.settings import DataError

NAMES = {
    "pl": "Łódź Gdańsk Poznań Wrocław Białystok Świętokrzyski Żółć Książka Sprzedaż Klienci Łukasz",
    "cs": "Dvořák Němec Příbram Kovář Jiří Čermák Třebíč Plzeň Zákazník Tržby Křížek Šimůnek",
    "sk": "Košice Prešov Ľubovňa Kováč Novák Predaj Zákazník Čadca Nováčik Tržby Ďurčo Štefánik",
    "hu": "Győr Székesfehérvár Erdős Szőke Kőszegi Hódmezővásárhely Értékesítés Gyűjtő Nagykőrös",
    "hr": "Kovačić Marić Babić Čakovec Županja Pavlović Šibenik Đakovo Juričić Radić Čavić",
    "de": "Müller Köln Düsseldorf Straße Größe Händler Jäger Würzburg Günther Österreich",
    "fr": "Société Générale Hélène Août Noël Forêt Château Œuvre cœur Garçon Goût Règle où",
    "es": "Muñoz Peña Señor Málaga Córdoba Ibáñez Núñez León ¿Qué Español Año Logroño",
    "it": "Città Perché Però Così Più Caffè Libertà Forlì Cantù Nicolò Società Novità",
    "da": "Sørensen Ærø Århus København Møller Kjær Nørre Bjørn Rødovre Ålborg Bæk",
    "pt": "São João Conceição Ações Opções Açúcar Pão Corações Três Você Índio Botões",
    "ko": "서울 부산 대구 판매 금액 거래처 홍길동 상품명 수량 광주광역시 경기도 강남구 전자 대리점",
    "zh": "北京 上海 销售 金额 客户 数量 深圳市 有限公司 贸易 商行 广州 电器 经销商 天津 成都",
}
BYTES = {
    **dict.fromkeys(("pl", "cs", "sk", "hu", "hr"), "cp1250"),
    **dict.fromkeys(("de", "fr", "es", "it", "da", "pt"), "cp1252"),
    "ko": "cp949",
    "zh": "gb18030",
}


def text_of(words: list[str], n: int, seed: int) -> str:
    draw = random.Random(seed)
    return "id,name\n" + "".join(f"{i},{draw.choice(words)}\n" for i in range(n))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("language", NAMES)
def test_many_words_tell_their_encoding(language, seed):
    text = text_of(NAMES[language].split(), 60, seed)
    told = encodings.encoding_of(text.encode(BYTES[language]), "f.csv")
    assert text.encode(BYTES[language]).decode(told) == text


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("language", NAMES)
def test_few_words_are_read_right_or_asked(language, seed):
    draw = random.Random(seed)
    words = draw.sample(NAMES[language].split(), draw.randint(2, 6))
    text = text_of(words, 8, seed)
    raw = text.encode(BYTES[language])
    try:
        told = encodings.encoding_of(raw, "f.csv")
    except DataError as error:
        assert "encoding = " in str(error)
        # a Danish name alone among few may be a character of Chinese, as it ever was
        assert BYTES[language] != "cp1252" or "gb18030" in str(error) or "big5" in str(error)
        return
    assert raw.decode(told) == text


@pytest.mark.parametrize(
    "text", ["5 m³", "Summe¹", "Brot 2 cm³", "£5", "25 °C", "10 m²", "Åse & Søn"]
)
def test_signs_beside_words_stay_western(text):
    raw = f"id,name\n1,{text}\n2,Müller\n3,Größe\n".encode("cp1252")
    assert encodings.encoding_of(raw, "f.csv") == "cp1252"


@pytest.mark.parametrize(
    "name", ["cp1250", "windows-1250", "ISO-8859-2", "EUC-KR", "cp949", "Shift_JIS", "euc_jp"]
)
def test_more_encodings_may_be_said(name):
    text = {"c": "Łódź", "w": "Łódź", "i": "Łódź"}.get(
        name[0].lower(), "東京" if "j" in name.lower() else "서울"
    )
    text = "서울" if name == "cp949" else text
    codec = encodings.known_encoding(name, "f.csv")
    assert text.encode(codec).decode(codec) == text


@pytest.mark.parametrize("codec", ["cp932", "euc_jp"])
def test_japanese_is_told_by_its_kana(codec):
    text = "コード,名前\n1,かぶしきがいしゃ\n2,東京のみせ\n3,さくら商店\n"
    try:
        assert text.encode(codec).decode(encodings.encoding_of(text.encode(codec), "f.csv")) == text
    except DataError as error:
        assert codec in str(error)
